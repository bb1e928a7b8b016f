"""What a card's model can be asked to do, read from its fields."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

from edgekit.bundle.card import Card
from edgekit.catalog.need import Want
from edgekit.catalog.task_words import KINDS, Modality

How = Literal["made", "asked", "no"]
"""Made for it; can be asked for it in words; cannot do it."""

_MODALITY: Final[dict[str, Modality]] = {
    "detect": "picture",
    "ocr": "picture",
    "vision_language": "picture",
    "generate": "text",
    "fill_mask": "text",
    "transcribe": "sound",
    "activity": "sound",
    "diarize": "sound",
}
_TEXTS = re.compile(
    r"\b(?:sentences?|texts?|tweets?|tokens?|words|posts?|news|premise|messages?)\b", re.IGNORECASE
)
_PICTURES = re.compile(r"\b(?:pictures?|photos?|images?|frames?|faces?|pages?|crops?)\b", re.IGNORECASE)
_SPECIAL: Final[dict[str, str]] = {  # kind → what a card must say, beside being of the right task
    "turn": r"orientation|upside[- ]down|which way up",
    "entail": r"entail|inference|\bNLI\b",
    "zero_shot": r"entail|inference|\bNLI\b|zero[- ]shot",
}
_REFUSED: Final[dict[str, str]] = {  # kind → what a card says that cannot do it
    "chat": r"follow instructions|conversation",
    "identify": r"\bwho\b|identity",
    "count": r"\bcount(?:ing)?\b|how many",
    "separate": r"separat|overlap",
    "translate": r"translat",
    "summarise": r"summar",
    "diarize": r"by whom|who (?:speaks|spoke)|which speaker",
    "extract": r"keep to a form",
    "identify_voice": r"by whom|who (?:speaks|spoke)|name (?:a |the )?speaker",
}
_INSTRUCTED: Final = r"follow instructions|conversation"
_LINE: Final = r"already cut out|line recognition|one (?:printed |cropped )?(?:text )?line"


@lru_cache(maxsize=512)
def _words(card_title: str, domain: str, input_range: str) -> tuple[bool, bool]:
    text = " ".join((card_title, domain, input_range))
    return _TEXTS.search(text) is not None, _PICTURES.search(text) is not None


def modality_of(card: Card) -> Modality:
    """What a model starts from: by its task, or by the words of its card where a task takes several."""
    if card.task in _MODALITY:
        return _MODALITY[card.task]
    texts, pictures = _words(card.title, card.domain, card.input_range)
    return "text" if texts and not pictures else "picture"


def told(card: Card) -> str:
    """All that a card says its model does."""
    return " ".join((card.title, card.domain, card.badge, card.input_range, *card.subjects))


def says(card: Card, words: str) -> bool:
    """Whether what a card says its model does has these words."""
    return re.search(words, told(card), re.IGNORECASE) is not None


def refusal(card: Card, kind: str) -> str:
    """The line of a card that says it cannot do this kind of work; empty where none does."""
    words = _REFUSED.get(kind)
    return "" if words is None else next((c for c in card.cannot if re.search(words, c, re.IGNORECASE)), "")


def instructed(card: Card) -> bool:
    """Whether a language model does as it is told."""
    return not any(re.search(_INSTRUCTED, line, re.IGNORECASE) for line in card.cannot)


def how(card: Card, want: Want) -> How:
    """How a model does one kind of work."""
    kind = KINDS[want.kind]
    if card.task in kind.tasks and modality_of(card) == kind.modality:
        return "made" if _made(card, want.kind) else "no"
    if card.task not in kind.asked or want.kind in ("identify", "turn"):
        return "no"
    able = card.general if card.task == "vision_language" else instructed(card)
    return "asked" if able else "no"


def _made(card: Card, kind: str) -> bool:
    if kind == "chat":
        return instructed(card)
    return kind not in _SPECIAL or says(card, _SPECIAL[kind])


def one_line_only(card: Card) -> bool:
    """Whether a reader of text takes nothing but single lines that are cut out already."""
    return card.task == "ocr" and re.search(_LINE, f"{card.title} {card.domain} {card.badge}") is not None


def turns_lines(card: Card) -> bool:
    """Whether a reader of text also tells which way up its lines are."""
    return (
        card.task == "ocr"
        and re.search(_SPECIAL["turn"], f"{card.title} {card.badge}", re.IGNORECASE) is not None
    )
