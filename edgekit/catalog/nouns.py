"""What a need is about: its nouns, and whether each is what is looked for or where it is looked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edgekit.catalog.task_words import Asked, Modality

_IRREGULAR = {
    "people": "person", "persons": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse",
    "knives": "knife", "shelves": "shelf", "leaves": "leaf", "feet": "foot", "teeth": "tooth", "geese": "goose",
    "media": "medium", "data": "data", "news": "news", "series": "series", "species": "species", "glasses": "glasses",
    "pliers": "pliers", "scissors": "scissors", "jeans": "jeans", "buses": "bus", "lenses": "lens", "gas": "gas",
    "shoes": "shoe", "toes": "toe", "canoes": "canoe", "hoes": "hoe",
    "skis": "ski", "invoices": "invoice", "faces": "face", "axes": "axis", "analyses": "analysis", "movies": "movie",
    "cookies": "cookie", "selfies": "selfie", "ties": "tie", "pies": "pie", "imagenet": "imagenet", "bus": "bus",
    "canvas": "canvas", "iris": "iris", "virus": "virus", "lens": "lens", "this": "this", "christmas": "christmas",
}  # fmt: skip

GENERIC: Final = frozenset(
    (
        "picture photo image photograph photography frame video clip camera webcam stream feed scene shot "
        "snapshot upload file object thing item stuff text sentence word character line question answer "
        "speech voice audio recording sound model network app application demo user result output class "
        "category type kind sort group label data example way time system device bundle task job quality "
        "accuracy size speed matter something anything everything content front part background area region "
        "use case world footage pdf sensor microphone setting limit budget batch second language detector "
        "classifier recogniser recognizer reader finder analyser analyzer tagger counter engine software "
        "program library edge internet network connection download machine hour minute month week year "
        "morning lot bit number pixel screen display parameter weight licence license power energy battery "
        "latency memory ram storage disk thousand million dozen box position place location presence track "
        "note stretch occurrence instance"
    ).split()
)
"""Nouns that say nothing of what a picture, text or sound holds."""
_ADJECTIVES = frozenset(
    (
        "any general generic common everyday typical usual small big large tiny little good better best fast "
        "quick simple cheap live new own various several many different certain specific offline local main "
        "single real actual normal ordinary whole entire full short long all each every other such same more "
        "most less least some available possible visible clear high low max maximum minimum top accurate "
        "reliable robust efficient lightweight arbitrary random natural possible coloured colored automatic "
        "automated embedded edge deep neural ai ml open free public private recorded photographed incoming "
        "uploaded user-uploaded one two three four five six seven eight nine ten few basic english-speaking "
        "non-english visual overlapping cropped old modern raw recent daily hidden fine tuned fine-tune "
        "pre-trained pretrained well known printed typed"
    ).split()
)
_DETERMINERS = frozenset(
    (
        "a an the my our your their his her its this that these those it them they he she we you i me us who "
        "whom which what whose is are was were be been being am do does did has have had can could should "
        "would will may might must shall not no yes very quite too also just only then than so please need "
        "want wants needs looking like would-be let lets if while when whenever where there here how why "
        "because ideally preferably must-have plus via etc eg ie be able using use uses used run runs running "
        "work works working give gives make makes show shows get gets keep keeps take takes put puts built "
        "build help helps needed wanted required shall does doesn't don't isn't can't cannot won't matters "
        "matter never always often sometimes still already again ever exactly fully both either neither "
        "something someone somebody anyone anybody nobody much enough ones apart out up down off over away "
        "together"
    ).split()
)
_VERBS = frozenset(
    (
        "come comes coming go goes going walk walks walking enters entering arrive arrives arriving appears "
        "approaches approaching passes passing sits sitting lying jumps jumping climbs climbing say says said"
    ).split()
)
"""What a noun does, beside what is asked for: "count customers that come in"."""
_CONJUNCTIONS = frozenset({"and", "or", "&", "nor", "but"})
_TO_OBJECT = frozenset({"into", "between", "as", "containing", "showing", "holding", "depicting"})
_AFTER_TASK = frozenset({"of", "for", "about", "on", "to", "regarding", "around", "over", "by"})
_AFTER_GENERIC = frozenset({"of", "with", "about", "like", "named", "called"})
_PREPOSITIONS = frozenset(
    (
        "in on at from to for of with without by into between as about during under over above below behind "
        "across among against inside within near after before through throughout per toward towards onto "
        "around along regarding containing showing holding depicting while like named called"
    ).split()
)
_TOKEN = re.compile(r"\x00\d+\x00|[A-Za-zÀ-ɏ][\w'’-]*|\d[\w.,]*|[:;.?!,()/&]")


@dataclass(frozen=True, slots=True)
class Nouns:
    """Nouns of a need, singular, lower case.

    Attributes:
        objects: of each task in order, what it is about.
        settings: where that is found, and all else.
    """

    objects: tuple[tuple[str, ...], ...]
    settings: tuple[str, ...]


def singular(word: str) -> str:
    """A noun in the singular, by rules and a few exceptions; it need not be a noun."""
    word = re.sub(r"['’]s?$", "", word.lower())
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zzes", "oes")):
        return word[:-2]
    return word[:-1]


def phrase_of(words: Iterable[str]) -> str:
    """Words as a phrase without what says nothing; empty where nothing is left."""
    kept = [singular(word) for word in words if word.lower() not in _ADJECTIVES]
    return " ".join(word for word in kept if word not in GENERIC)


def find_nouns(text: str, tasks: Sequence[Asked]) -> Nouns:
    """The nouns of a text around its tasks.

    A noun is what a task is about if it stands right before it ("face detection"), after it, or after "of" and "into";
    after any other preposition it is where that is found ("on scanned contracts").

    Args:
        text: with everything removed that is neither noun nor task: numbers, devices, languages.
        tasks: where its tasks stand.
    """
    reader = _Reader(len(tasks))
    for token in _TOKEN.findall(_marked(text, tasks)):
        reader.take(token)
    reader.flush()
    return Nouns(
        tuple(tuple(dict.fromkeys(some)) for some in reader.objects), tuple(dict.fromkeys(reader.settings))
    )


def _marked(text: str, tasks: Sequence[Asked]) -> str:
    """The text with ``NUL number NUL`` in place of each task."""
    out, at = [], 0
    for number, task in enumerate(tasks):
        out += [text[at : task.start], f" \x00{number}\x00 "]
        at = task.end
    return "".join([*out, text[at:]])


class _Reader:
    """Reads tokens from left to right; keeps the phrase it is in and what the next one will be."""

    def __init__(self, n_tasks: int) -> None:
        self.objects: list[list[str]] = [[] for _ in range(n_tasks)]
        self.settings: list[str] = []
        self._words: list[str] = []
        self._task: int | None = None
        self._is_object = True
        self._just_asked = False  # the token before was a task
        self._was_generic = False  # the phrase before said nothing: "photos" of "photos of dogs"

    def take(self, token: str) -> None:
        """The next token."""
        low = token.lower()
        if token.startswith("\x00"):
            self._ask(int(token.strip("\x00")))
            return
        if low in _PREPOSITIONS:
            self._turn(low)
        elif token in ":;.?!":
            self.flush()
            self._is_object = True
        elif not token[0].isalpha() or low in _CONJUNCTIONS or low in _VERBS:
            self.flush()
        elif low in _DETERMINERS:
            self.flush()
            return  # "detect the faces": what comes after is still what the task is about
        else:
            self._words.append(token)
        self._just_asked = False

    def _ask(self, number: int) -> None:
        """A task: the phrase right before it is what it is about ("face detection")."""
        if self._words and self._is_object:
            self._task = number
            self.flush()
        self.flush()
        self._task, self._is_object, self._just_asked = number, True, True

    def _turn(self, preposition: str) -> None:
        """A preposition: decides what comes after it."""
        said = bool(self._words)
        self.flush()
        generic_before = self._is_object and said and self._was_generic
        self._is_object = (
            preposition in _TO_OBJECT
            or (self._just_asked and preposition in _AFTER_TASK)
            or (generic_before and preposition in _AFTER_GENERIC)
        )

    def flush(self) -> None:
        """Ends the phrase."""
        if not self._words:
            return
        phrase = phrase_of(self._words)
        self._was_generic = not phrase
        self._words = []
        if not phrase:
            return
        if self._is_object and self._task is not None:
            self.objects[self._task].append(phrase)
        else:
            self.settings.append(phrase)


_SOUND = frozenset(
    (
        "speech voice audio sound microphone podcast call meeting song music noise interview lecture "
        "voicemail phonecall recording dictation radio speaker"
    ).split()
)
_TEXT = frozenset(
    (
        "sentence tweet review comment email e-mail message news article headline paragraph post ticket "
        "feedback text essay letter newsletter forum transcript complaint survey abstract sms"
    ).split()
)
_PICTURE = frozenset(
    (
        "picture photo image photograph frame camera webcam scan page pdf video face object sign screenshot "
        "drawing snapshot selfie x-ray scene painting cctv footage circle triangle square rectangle shape "
        "colour color"
    ).split()
)


def modalities_of(text: str) -> frozenset[Modality]:
    """What the words of a text start from: pictures, texts, sounds."""
    words = {singular(word) for word in re.findall(r"[A-Za-z][A-Za-z'’-]*", text)}
    found: set[Modality] = set()
    if words & _SOUND:
        found.add("sound")
    if words & _TEXT:
        found.add("text")
    if words & _PICTURE:
        found.add("picture")
    return frozenset(found)
