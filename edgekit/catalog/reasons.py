"""What speaks for a model, in words: what it does, and how it keeps the limits that were set."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from edgekit.bundle.card import Card
from edgekit.catalog.abilities import how
from edgekit.catalog.devices import DEVICES
from edgekit.catalog.language_words import language_name, speaks
from edgekit.catalog.need import Need, Want
from edgekit.catalog.placement import Placement
from edgekit.catalog.subject_words import covered
from edgekit.catalog.task_words import KINDS

_DOES: Final = MappingProxyType(
    {"detect": "finds", "count": "finds", "presence": "knows", "classify": "knows", "classify_text": "knows"}
)
"""Kind → its verb, where what it is about follows; others say the kind's own words."""

_PLURALS: Final = MappingProxyType(
    {
        "person": "people",
        "man": "men",
        "woman": "women",
        "child": "children",
        "mouse": "mice",
        "knife": "knives",
    }
    | {
        one: one
        for one in ("sheep", "fish", "handwriting", "scissors", "pliers", "nudity", "sentiment", "nsfw")
    }
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a model: of what, and in words."""

    field: Literal["task", "language", "size", "latency", "energy", "licence"]
    said: str


def reasons(card: Card, need: Need, placed: Placement, limit_bytes: int | None) -> tuple[Reason, ...]:
    """What speaks for a model; whatever it lacks is a mismatch and not told here.

    Args:
        card: the model's.
        need: what is wanted.
        placed: at which precision, and how long it takes.
        limit_bytes: the least of all limits of its size.
    """
    said = [Reason("task", words) for want in need.wants if (words := _does(card, want))]
    spoken = [language_name(tag) for tag in need.languages if speaks(card.languages, tag)]
    said += [Reason("language", f"knows {', '.join(spoken)}")] if spoken else []
    if limit_bytes is not None and placed.bytes <= limit_bytes:
        size = f"{told_mb(placed.bytes)} as {placed.precision} of {told_mb(limit_bytes)}"
        said.append(Reason("size", size))
    if placed.ms is not None:
        where = DEVICES[need.device].what.split(",")[0] if need.device else ""
        time = f"{placed.kind} {told_ms(placed.ms)} on a {where}: {placed.what}"
        said.append(Reason("latency", time))
    if placed.energy_wh is not None and need.prefer == "eco":
        said.append(Reason("energy", f"{placed.energy_wh * 3600:,.3g} J {placed.what}"))
    if need.licence and not need.licence.refusal(card):
        said.append(Reason("licence", card.license))
    return tuple(said)


def _does(card: Card, want: Want) -> str:
    done = how(card, want)
    if done == "no":
        return ""
    if done == "asked":
        return "general: bound to no subject"
    known = covered(want.subjects, card.subjects)[0]
    if want.kind in _DOES and known:
        return f"{_DOES[want.kind]} {', '.join(map(plural, known))}"
    return f"made for {KINDS[want.kind].told}"


def plural(noun: str) -> str:
    """The plural of a noun phrase, by its last word."""
    *before, last = noun.split(" ")
    if last in _PLURALS:
        many = _PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        many = last if last.endswith("es") else f"{last}es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        many = f"{last[:-1]}ies"
    else:
        many = f"{last}s"
    return " ".join([*before, many])


def told_ms(ms: float) -> str:
    """``117 ms``, ``0.25 ms``, ``8,047 ms``."""
    return f"{ms:,.0f} ms" if ms >= 10 else f"{ms:.2g} ms"


def told_mb(size_bytes: int) -> str:
    """``11.14 MB`` (10^6 bytes), ``0.1 MB``."""
    return f"{size_bytes / 1e6:,.4g} MB"
