"""Which choice each layer of a bundle's graphs gets, for a number of bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgekit_export.budget.knapsack import Option, allocate
from edgekit_export.budget.table import LayerTable
from edgekit_export.quantize.placement import Mode

_AS_FAST = 1.001
Modes = Mapping[str, Mapping[str, Mode]]
"""Role → layer → mode."""


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """A choice for every layer.

    Attributes:
        modes: role → layer → mode.
        model_bytes: of all graphs, as the tables have it.
        noise: the layers' noise powers added up, over all graphs.
        ms: the time of all graphs, as the tables have it.
    """

    modes: Modes
    model_bytes: int
    noise: float
    ms: float = 0.0

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

    def allocate(self, model_bytes: int, max_ms: float | None = None) -> Allocation | None:
        """The least noise within so many bytes of graphs, and so much time; ``None`` if they cannot be that small."""
        fixed_ms = sum(table.fixed_ms for table in self.graphs.values())
        return self._solved(self._options, model_bytes, None if max_ms is None else max_ms - fixed_ms)

    def fastest(self, model_bytes: int) -> Allocation | None:
        """The least time within so many bytes, and of what is as fast the least noise."""
        timed = [[replace(one, noise=one.latency_ms) for one in options] for options in self._options]
        found = self._solved(timed, model_bytes, None)
        return None if found is None else self.allocate(model_bytes, found.ms * _AS_FAST)

    @property
    def _layers(self) -> list[tuple[str, str]]:
        """Role and name of each layer."""
        return [(role, name) for role, table in self.graphs.items() for name in table.options]

    @property
    def _options(self) -> list[list[Option]]:
        return [list(self.graphs[role].options[name].values()) for role, name in self._layers]

    def _solved(
        self, options: Sequence[Sequence[Option]], model_bytes: int, max_ms: float | None
    ) -> Allocation | None:
        fixed = sum(table.fixed_bytes for table in self.graphs.values())
        picked = allocate(options, model_bytes - fixed, max_ms)
        if picked is None:
            return None
        modes: dict[str, dict[str, Mode]] = {role: {} for role in self.graphs}
        for (role, name), number in zip(self._layers, picked, strict=True):
            modes[role][name] = list(self.graphs[role].options[name])[number]
        return self.described(modes)

    def described(self, modes: Modes) -> Allocation:
        """An allocation with its bytes and noise."""
        pairs = [(self.graphs[role], chosen) for role, chosen in modes.items()]
        size = sum(table.bytes_of(chosen) for table, chosen in pairs)
        noise = sum(table.noise_of(chosen) for table, chosen in pairs)
        return Allocation(modes, size, noise, sum(table.ms_of(chosen) for table, chosen in pairs))
