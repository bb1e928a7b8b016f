"""How to compare."""

from __future__ import annotations

from dataclasses import dataclass

WORST = 20


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare.

    Attributes:
        max_drop: largest drop allowed, in points; the verdict is ``NONE`` without one.
        relative: whether ``max_drop`` is in percent of the reference's metric instead.
        looks: how often to look at the gate on the way, to stop early; the error rate stays that of one look.
        seed: of the order in which samples are taken where there is more than one look.
        conditions: names of :data:`edgekit.data.conditions.CONDITIONS` to measure under as well.
        worst: how many of the samples that changed most are kept.
    """

    max_drop: float | None = None
    relative: bool = False
    looks: int = 1
    seed: int = 0
    conditions: tuple[str, ...] = ()
    worst: int = WORST
