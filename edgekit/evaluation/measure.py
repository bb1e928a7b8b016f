"""Measures in the units of reports."""

from __future__ import annotations

from edgekit.evaluation.outcome import Measure
from edgekit.evaluation.paired import PairedShares
from edgekit.statistics.interval import Interval

POINTS = "points"
"""Unit of percentages and their differences."""

DIGITS = 6  # of values in results: more would be noise, fewer could move a gate


def in_points(
    name: str,
    meaning: str,
    reference: float | None,
    candidate: float | None,
    drop: float,
    interval: Interval | None,
) -> Measure:
    """A measure of fractions, told as percentages."""
    return _measure(name, meaning, POINTS, reference, candidate, drop, interval, 100)


def in_unit(
    name: str,
    meaning: str,
    unit: str,
    reference: float | None,
    candidate: float | None,
    drop: float,
    interval: Interval | None,
) -> Measure:
    """A measure of values that are in ``unit`` already."""
    return _measure(name, meaning, unit, reference, candidate, drop, interval, 1)


def of_shares(name: str, meaning: str, shares: PairedShares) -> Measure:
    """A measure of what either side has right."""
    return in_points(name, meaning, shares.reference, shares.candidate, shares.drop, shares.interval())


def rounded(value: float) -> float:
    """The value as results state it, never -0.0."""
    return round(value, DIGITS) + 0.0


def _measure(
    name: str,
    meaning: str,
    unit: str,
    reference: float | None,
    candidate: float | None,
    drop: float,
    interval: Interval | None,
    factor: float,
) -> Measure:
    return Measure(
        name=name,
        meaning=meaning,
        unit=unit,
        reference=None if reference is None else rounded(factor * reference),
        candidate=None if candidate is None else rounded(factor * candidate),
        drop=rounded(factor * drop),
        interval=None
        if interval is None
        else (rounded(factor * interval.low), rounded(factor * interval.high)),
    )
