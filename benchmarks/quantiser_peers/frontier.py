"""Which of several points none other betters."""

from __future__ import annotations

from collections.abc import Sequence


def frontier(points: Sequence[Sequence[float]]) -> list[bool]:
    """Whether each point is on the Pareto frontier, where less is better in every number; equal points all are.

    Args:
        points: of one length, such as bytes and disagreement.
    """
    return [not any(_betters(other, point) for other in points) for point in points]


def _betters(other: Sequence[float], point: Sequence[float]) -> bool:
    return tuple(other) != tuple(point) and all(a <= b for a, b in zip(other, point, strict=True))
