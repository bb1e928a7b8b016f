"""A model on a device within limits: at which precision, how many bytes, how long, how much energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from edgekit.bundle.card import Card
from edgekit.catalog.devices import Device
from edgekit.catalog.estimate import energy_wh, estimate
from edgekit.catalog.need import Preference
from edgekit.catalog.sizes import size_bytes

_OF_TOKENS: Final = frozenset({"generate", "vision_language", "transcribe"})
"""Tasks whose weights recipes here bring to 4 bits: networks of matrices over tokens."""
ANSWER_TOKENS: Final = 20
"""Tokens of a short answer, which a language model is timed by; reading the prompt is not counted."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One way to run a model.

    Attributes:
        precision: of the weights.
        bytes: of the weights alone.
        ms: of one piece of work; ``None`` without a device, or where the card does not tell its operations.
        kind: whether ``ms`` was measured, or is an estimate.
        what: the piece of work.
        energy_wh: of one piece of work, by the device's power when busy.
    """

    precision: str
    bytes: int
    ms: float | None = None
    kind: Literal["measured", "estimated", ""] = ""
    what: str = ""
    energy_wh: float | None = None


def timed_by_token(card: Card) -> bool:
    """Whether a card's operations are those of one token, as its ``sources`` say, and not of an input."""
    return "of one token" in card.sources.get("operations", "")


def precisions_of(card: Card) -> tuple[str, ...]:
    """Precisions that recipes here make of such a model, the widest first."""
    return ("fp32", "fp16", "int8", "int4") if card.task in _OF_TOKENS else ("fp32", "fp16", "int8")


def place(card: Card, max_bytes: int | None, device: Device | None, prefer: Preference = "") -> Placement:
    """The precision that fits, with its size and time.

    int8 where it fits, which computes fastest; where accuracy is preferred fp16; else the narrowest.
    """
    order = ("fp16", "int8", "int4") if prefer == "accuracy" else ("int8", "int4")
    choices = [precision for precision in order if precision in precisions_of(card)]
    sizes = {precision: size_bytes(card.parameters, precision) for precision in choices}
    fitting = [p for p in choices if max_bytes is None or sizes[p] <= max_bytes]
    chosen = fitting[0] if fitting else min(sizes, key=lambda p: sizes[p])
    if device is None:
        return Placement(chosen, sizes[chosen])
    ms, kind, what = _time(card, device, chosen)
    energy = None if ms is None else energy_wh(ms, device)
    return Placement(chosen, sizes[chosen], ms, kind, what, energy)


def _time(
    card: Card, device: Device, precision: str
) -> tuple[float | None, Literal["measured", "estimated", ""], str]:
    """A measured time where the card has one, else an estimate."""
    by_token = timed_by_token(card)
    pieces, what = (ANSWER_TOKENS, f"an answer of {ANSWER_TOKENS} tokens") if by_token else (1, "")
    if by_token and card.task == "vision_language":
        what += ", reading its picture not counted"
    for speed in card.speed:
        here = speed.device == device.name and speed.precision == precision and speed.kind == "measured"
        if here and ("token" in speed.what) == by_token:
            return speed.ms * pieces, "measured", what or speed.what
    found = estimate(card, device, precision)
    if found is None:
        return None, "", ""
    return found.ms * pieces, "estimated", what or "an input"
