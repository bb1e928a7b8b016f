"""What grows with the volume: so much for each unit that is needed, and so much a call. Money and energy alike."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Steps:
    """An amount a month over the calls a month.

    Attributes:
        a_unit: of each unit (a device) a month, used or not.
        a_call: of each call.
        calls_a_unit: a month that one unit can serve; the next call takes another unit.
        least_units: that there are at any volume; 0 where nothing is bought.
    """

    a_unit: float
    a_call: float
    calls_a_unit: float = math.inf
    least_units: int = 0

    def units(self, calls: float) -> int:
        """Units that so many calls a month take."""
        return max(self.least_units, math.ceil(calls / self.calls_a_unit - 1e-9))

    def at(self, calls: float) -> float:
        """The amount of so many calls a month."""
        return self.units(calls) * self.a_unit + calls * self.a_call
