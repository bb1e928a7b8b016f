"""Which language a text is in, where its letters or its words leave no doubt; silent where they do.

Letters tell by their script (:mod:`edgekit.catalog.scripts`); Latin ones tell nothing, there frequent words do
(:mod:`edgekit.catalog.stop_words`), as in Cavnar & Trenkle 1994's short-words method.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection

from edgekit.catalog.language_words import NAMES, language_name
from edgekit.catalog.scripts import HAN, KANA, LATIN, LATIN_TOO, SCRIPTS, count_scripts
from edgekit.catalog.stop_words import IN_NAMES, IN_PROGRAMS, STOP_WORDS

LOOKED_AT = 2000
"""Characters of a text that are looked at."""

LEAST_WORDS = 3
"""Different frequent words that a text must have to be of a language (``sin`` is one word of many formulas), and"""
LEAST_SURE = 2
"""of which so many must be no part of names, and"""
LEAST_SHARE = 0.1
"""of all its words so many must be such ones, and"""
LEAST_LEAD = 2
"""so many times those of any language that it may be in."""

MOST_OFTEN = 3
"""A word counts so often at most: one that repeats is a name or a variable."""

_WORD = re.compile(r"[^\W\d_]+")
_RUSSIAN = re.compile(
    r"\b(?:что|чтобы|это|этот|эта|если|очень|только|меня|какая|какой|когда|уже|есть|можно|нужно|нет)\b",
    re.IGNORECASE,
)
_UKRAINIAN = re.compile(r"[їєґ]", re.IGNORECASE)
_OTHER_CYRILLIC = re.compile(r"[іїєґўјљњћђѓќѕғқәөүұңһҳ]", re.IGNORECASE)


def foreign(text: str, languages: Collection[str]) -> str | None:
    """What a text looks like, with the evidence, if that is surely none of some languages.

    Args:
        text: its first 2,000 characters are looked at.
        languages: BCP 47 tags. Nothing is said where one of them is none that edgekit knows.

    Returns:
        E.g. ``looks Russian (34 of 40 letters are Cyrillic)``, or None where it may be one of them.
    """
    tags = {tag.lower().split("-")[0] for tag in languages}
    if not tags or not tags <= NAMES.keys():
        return None
    text = unicodedata.normalize("NFC", text[:LOOKED_AT])
    letters = count_scripts(text)
    if 2 * letters[LATIN] > letters.total():
        return _foreign_words(text, tags)
    return _foreign_script(text, letters, tags)


def _foreign_script(text: str, letters: Counter[str], tags: set[str]) -> str | None:
    total = letters.total()
    if letters[KANA] >= SCRIPTS[KANA].least and 5 * letters[KANA] >= letters[HAN] and tags.isdisjoint({"ja"}):
        count, name = letters[KANA] + letters[HAN], f"{KANA} or {HAN}"
        return _said("looks Japanese", count, total, name) if 2 * count > total else None
    name, count = max(letters.items(), key=lambda item: item[1], default=("other", 0))
    script = SCRIPTS.get(name)
    if script is None or count < script.least or 2 * count <= total or not tags.isdisjoint(script.languages):
        return None
    if max(map(len, _WORD.findall(text)), default=0) < 3 and name in ("Greek", "Cyrillic"):
        return None  # letters of formulas
    return _said(_named(text, name), count, total, name)


def _said(looks: str, count: int, total: int, letters: str) -> str:
    return f"{looks} ({count} of {total} letters are {letters})"


def _named(text: str, script: str) -> str:
    languages = SCRIPTS[script].languages
    if len(languages) == 1:
        return f"looks {language_name(languages[0])}"
    if script == "Cyrillic" and _UKRAINIAN.search(text) and not _RUSSIAN.search(text):
        return "looks Ukrainian"
    if script == "Cyrillic" and _RUSSIAN.search(text) and not _OTHER_CYRILLIC.search(text):
        return "looks Russian"
    return "is in another script"


def _foreign_words(text: str, tags: set[str]) -> str | None:
    scripted = {language for script in SCRIPTS.values() for language in script.languages}
    if not tags <= STOP_WORDS.keys() | (scripted - LATIN_TOO):
        return None  # a language whose words are not known here may be like any other
    words = [word.lower() for word in _WORD.findall(text) if len(word) == 1 or not word.isupper()]
    counts = Counter(words)
    hits = {
        tag: Counter({word: min(n, MOST_OFTEN) for word, n in counts.items() if word in known})
        for tag, known in STOP_WORDS.items()
    }
    own = max((hits[tag].total() for tag in tags & hits.keys()), default=0)
    proofs = {
        tag: Counter({word: n for word, n in found.items() if word not in IN_PROGRAMS})
        for tag, found in hits.items()
        if tag not in tags
    }
    best = max(proofs, key=lambda tag: proofs[tag].total())
    if proofs[best].total() < max(LEAST_SHARE * len(words), LEAST_LEAD * own) or not _proves(proofs[best]):
        return None
    names = [language_name(tag) for tag in proofs if proofs[tag].total() == proofs[best].total()]
    some = ", ".join(word for word, _ in proofs[best].most_common(3))
    return f"looks {' or '.join(names)} ({sum(counts[w] for w in proofs[best])} of {len(words)} words, like {some})"


def _proves(words: Collection[str]) -> bool:
    """Whether words are enough, and not only of names or as short as a program's variables."""
    sure = [word for word in words if word not in IN_NAMES]
    return len(words) >= LEAST_WORDS and len(sure) >= LEAST_SURE and max(map(len, sure)) > 2
