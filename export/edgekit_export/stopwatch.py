"""The time of an export's candidates: measured here, and estimated for the processor that they are for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from edgekit.bundle.manifest import Variant
from edgekit.tasks.protocol import Task
from edgekit.types import Content
from edgekit_export.budget.latency import Latency, measured
from edgekit_export.budget.mixed import Clock
from edgekit_export.candidate import Candidate
from edgekit_export.quantize.placement import Mode
from edgekit_export.timing import Timing, timings

_INTEGER = frozenset({Mode.INT8, Mode.DYNAMIC})
"""Modes of layers that multiply integers."""


@dataclass(frozen=True, slots=True, eq=False)
class Stopwatch:
    """Times candidates beside full precision.

    Attributes:
        load: gives the task of a staged variant.
        reference: full precision, loaded; ``None`` where there is none.
        contents: inputs.
        elsewhere: role → time of each layer on another processor; empty where the target is this machine's.
        max_ms: the limit, if one was asked for.
    """

    load: Callable[[Variant], Task]
    reference: Task | None
    contents: Sequence[Content]
    elsewhere: Mapping[str, Latency] = field(default_factory=dict)
    max_ms: float | None = None

    def timed(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates with their times, all run in turns."""
        found = timings([self.load(c.variant) for c in candidates], self.reference, self.contents)
        return [
            replace(c, timing=self._estimated(c, timing)) for c, timing in zip(candidates, found, strict=True)
        ]

    def clocks(self, threads: int) -> dict[str, Clock]:
        """Role → what tells the times of its layers: on this machine, or as the target is estimated."""
        roles = () if self.reference is None else self.reference.sessions
        return {role: self._clock(role, threads) for role in roles}

    def _clock(self, role: str, threads: int) -> Clock:
        if self.elsewhere:
            return lambda full, int8, feeds: self.elsewhere[role]
        return lambda full, int8, feeds: measured(full, int8, feeds, threads)

    def _estimated(self, candidate: Candidate, timing: Timing) -> Timing:
        timing = replace(timing, max_ms=self.max_ms)
        formats = {model.format for model in candidate.variant.models.values()}
        if not self.elsewhere or formats != {"onnx"}:
            return timing
        return replace(timing, estimated_ms=round(estimated_ms(self.elsewhere, candidate.modes), 4))


def estimated_ms(graphs: Mapping[str, Latency], modes: Mapping[str, Mapping[str, Mode]]) -> float:
    """The sum over all layers: of their integer kernels' time where they have them, else in float.

    Args:
        graphs: role → time of its layers.
        modes: role → layer → mode; what is not named is in float.
    """
    return sum(
        times.int8_ms if modes.get(role, {}).get(name) in _INTEGER else times.float_ms
        for role, latency in graphs.items()
        for name, times in latency.layers.items()
    )
