"""A two-sided confidence interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, both included, in the unit of the quantity."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"interval: expected low <= high, got {self.low} and {self.high}")

    def scaled(self, factor: float) -> Interval:
        """Both ends times a factor of at least 0, e.g. 100 for percentage points."""
        return Interval(self.low * factor, self.high * factor)

    def clipped(self, low: float, high: float) -> Interval:
        """The part within what the quantity can be at all."""
        return Interval(min(max(self.low, low), high), max(min(self.high, high), low))
