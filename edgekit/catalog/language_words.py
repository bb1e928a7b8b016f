"""Languages by their English names, as BCP 47 tags."""

from __future__ import annotations

import re
from collections.abc import Iterable

ANY = "mul"
"""Of a card: many languages. Of a need: several, whichever they are (ISO 639-2, as BCP 47 takes it)."""

NAMES: dict[str, str] = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian",
    "bn": "Bengali", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "ga": "Irish", "gl": "Galician", "gu": "Gujarati", "ha": "Hausa",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh", "km": "Khmer",
    "kn": "Kannada", "ko": "Korean", "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian",
    "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay", "mt": "Maltese", "my": "Burmese",
    "ne": "Nepali", "nl": "Dutch", "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "ps": "Pashto",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian",
    "so": "Somali", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil",
    "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek",
    "vi": "Vietnamese", "yo": "Yoruba", "zh": "Chinese", "zu": "Zulu",
}  # fmt: skip
"""Tag → English name, which is its adjective too."""

_OTHER_NAMES = {"farsi": "fa", "mandarin": "zh", "cantonese": "zh", "brazilian": "pt", "castilian": "es"}
_OTHER_NAMES |= {"flemish": "nl", "filipino": "tl", "gaelic": "ga", "slovene": "sl", "bangla": "bn"}
_TAGS = {name.lower(): tag for tag, name in NAMES.items()} | _OTHER_NAMES
_NAME = re.compile(
    rf"\b(?:in\s+)?({'|'.join(sorted(_TAGS, key=len, reverse=True))})\b(?:\s+language)?", re.IGNORECASE
)
_SEVERAL = re.compile(
    r"\b(?:in\s+)?(?:many|several|multiple|various|different|all|any|other|more|\d+)\s+(?:human\s+)?languages?\b"
    r"|\bany\s+language\b|\bmulti-?lingual(?:ly)?\b|\bmany-language\b",
    re.IGNORECASE,
)


def find_languages(text: str) -> tuple[tuple[str, ...], list[tuple[int, int]]]:
    """Languages that a text names.

    Returns:
        BCP 47 tags in the order of their first mention, each once; and where the words stand.
    """
    named = [(m.start(), m.end(), _TAGS[m[1].lower()]) for m in _NAME.finditer(text)]
    several = [(m.start(), m.end(), ANY) for m in _SEVERAL.finditer(text)]
    found = sorted(named + several)
    return tuple(dict.fromkeys(tag for _, _, tag in found)), [(start, end) for start, end, _ in found]


def language_tag(name: str) -> str | None:
    """The tag of a language by its tag or English name, without region; ``None`` for none that is known."""
    key = name.strip().lower().replace("_", "-").split("-")[0]
    if key in NAMES or key == ANY:
        return key
    return _TAGS.get(key)


def speaks(languages: Iterable[str], tag: str) -> bool:
    """Whether a card with these languages knows this one; regions play no part."""
    return any(one == ANY or one.split("-")[0] == tag for one in languages)


def language_name(tag: str) -> str:
    """Its English name; of one that is not known the tag."""
    if tag == ANY:
        return "several languages"
    return NAMES.get(tag.lower().split("-")[0], tag)
