"""Which choice each layer of a bundle's graphs gets, for a number of bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edgekit_export.budget.knapsack import allocate
from edgekit_export.budget.table import CHOICES, LayerTable
from edgekit_export.quantize.placement import Mode

Modes = Mapping[str, Mapping[str, Mode]]
"""Role → layer → mode."""


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """A choice for every layer.

    Attributes:
        modes: role → layer → mode.
        model_bytes: of all graphs, as the tables have it.
        noise: the layers' noise powers added up, over all graphs.
    """

    modes: Modes
    model_bytes: int
    noise: float

    @property
    def sqnr_db(self) -> float:
        """What the sum lets expect at the output; infinite where nothing is rounded."""
        return math.inf if self.noise <= 0 else -10 * math.log10(self.noise)


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The choices of all graphs: they share one budget.

    Attributes:
        graphs: role → table.
    """

    graphs: Mapping[str, LayerTable]

    @property
    def smallest_bytes(self) -> int:
        """Of all graphs, each layer as small as it gets."""
        return sum(
            table.fixed_bytes
            + sum(min(o.bytes for o in options.values()) for options in table.options.values())
            for table in self.graphs.values()
        )

    @property
    def largest_bytes(self) -> int:
        """Of all graphs with nothing left to gain but full precision: weights of 16 bits."""
        return sum(
            table.bytes_of(dict.fromkeys(table.options, Mode.WEIGHT16)) for table in self.graphs.values()
        )

    def allocate(self, model_bytes: int) -> Allocation | None:
        """The least noise within so many bytes of graphs; ``None`` if they cannot be that small."""
        names = [(role, name) for role, table in self.graphs.items() for name in table.options]
        fixed = sum(table.fixed_bytes for table in self.graphs.values())
        options = [[self.graphs[role].options[name][mode] for mode in CHOICES] for role, name in names]
        picked = allocate(options, model_bytes - fixed)
        if picked is None:
            return None
        modes: dict[str, dict[str, Mode]] = {role: {} for role in self.graphs}
        for (role, name), number in zip(names, picked, strict=True):
            modes[role][name] = CHOICES[number]
        return self.described(modes)

    def described(self, modes: Modes) -> Allocation:
        """An allocation with its bytes and noise."""
        pairs = [(self.graphs[role], chosen) for role, chosen in modes.items()]
        size = sum(table.bytes_of(chosen) for table, chosen in pairs)
        return Allocation(modes, size, sum(table.noise_of(chosen) for table, chosen in pairs))
