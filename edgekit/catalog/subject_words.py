"""Words for the same thing, and things that are kinds of others, so that a need's nouns meet a card's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgekit.catalog.nouns import GENERIC, singular

_SAME: Final[dict[str, str]] = {
    "nsfw": "nude nudity naked porn pornography pornographic explicit adult nsfw sexual sex erotic obscene "
    "not-safe-for-work indecent smut not_safe_for_work",
    "person": "person human pedestrian man woman child worker passer-by passerby customer visitor somebody people adult-person "
    "driver cyclist crowd intruder employee",
    "emotion": "expression emotion happy happiness sad sadness angry anger fear fearful surprise surprised disgust disgusted "
    "joy mood smile smiling frown feeling feel",
    "signature": "signature autograph signed signing",
    "car": "car automobile sedan",
    "bicycle": "bicycle bike",
    "motorcycle": "motorcycle motorbike scooter",
    "couch": "couch sofa",
    "tv": "tv television monitor",
    "cell phone": "smartphone handset",
    "airplane": "airplane aeroplane plane aircraft",
    "refrigerator": "refrigerator fridge",
    "face": "face",
    "handwriting": "handwriting handwritten hand-written manuscript cursive longhand",
    "age": "age old",
    "gender": "gender sex-of-person male female",
    "header": "heading",
    "text": "paragraph text",
    "figure": "figure illustration chart",
    "equation": "equation formula",
    "shape": "shape circle triangle rectangle square",
    "weapon": "weapon gun rifle pistol firearm",
    "lesion": "lesion melanoma mole tumour tumor",
    "sentiment": "sentiment polarity opinion",
    "tweet": "tweet twitter microblog",
    "finance": "finance financial stock earnings investor economic bank banking",
    "review": "review rating testimonial",
    "table": "table",
}
_CANON: Final = {word: canon for canon, words in _SAME.items() for word in words.split()}
_KINDS_OF: Final[dict[str, frozenset[str]]] = {
    "animal": frozenset(["dog-breed", "dog", "cat", "bird", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "pet", "wildlife", "deer", "fox", "fish", "insect"]),
    "vehicle": frozenset(("car", "truck", "bus", "motorcycle", "bicycle", "train", "boat", "airplane", "van", "traffic")),
    "fruit": frozenset(("apple", "banana", "orange")),
    "furniture": frozenset(("chair", "couch", "bed", "dining-table", "desk")),
    "food": frozenset(("pizza", "sandwich", "hot-dog", "cake", "donut", "apple", "banana", "dish", "meal")),
    "emotion": frozenset(),
    "bag": frozenset(("backpack", "handbag", "suitcase", "luggage")),
}  # fmt: skip

_WHOLE: Final = frozenset({"dining table", "hot dog", "teddy bear", "dog breed"})
"""Names that are no kind of their last word."""


def canon(phrase: str) -> str:
    """A noun phrase as cards and needs are compared: singular, lower case, and one word for the same thing."""
    words = [singular(word) for word in phrase.lower().replace("_", " ").split()]
    whole = " ".join(words)
    if whole in _WHOLE:
        return whole.replace(" ", "-")
    return " ".join(_CANON.get(word, word) for word in words)


def same(wanted: str, known: str) -> bool:
    """Whether what a card knows is what is wanted: the same, a kind of it, or the same thing more closely named.

    A card's "table row" is a wanted "row"; its "dining table" is no wanted "table", but its "stop sign" is a "sign".
    """
    want, know = canon(wanted), canon(known)
    if want == know or _shares_head(want, know):
        return True
    if know in _KINDS_OF.get(want, ()) or want in _KINDS_OF.get(know, ()):
        return True
    words = want.split()
    return len(words) > 1 and know == words[-1]


def _shares_head(want: str, know: str) -> bool:
    """A card's longer name of what is wanted in short."""
    _, *rest = know.split() or [""]
    return bool(rest) and rest[-1] == want and want not in GENERIC


def covered(wanted: Iterable[str], known: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of what is wanted is known, and which is not."""
    known = tuple(known)
    yes: list[str] = []
    no: list[str] = []
    for one in wanted:
        (yes if any(same(one, other) for other in known) else no).append(one)
    return tuple(yes), tuple(no)


def words_of(text: str) -> frozenset[str]:
    """Words of a card's text, singular and as :func:`canon` has them, without those that say nothing."""
    words = {canon(word.strip(".,;:()'\"")) for word in text.replace("/", " ").split()}
    return frozenset(words - GENERIC - {""})
