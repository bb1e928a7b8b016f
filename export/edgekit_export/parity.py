"""Three stages side by side: framework, exported full precision, reduced; with graph optimisation and without.

An export fault must not be blamed on quantisation, nor an optimiser's on either. Every stage is run by the
options that ship; "none" shows what the optimiser changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx

from edgekit.bundle.manifest import Normalize
from edgekit.processing.activations import activate
from edgekit.types import Array
from edgekit_export.convert.session import session_of
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.sources.source import SourceGraph

Optimization = Literal["all", "none"]
LEVELS: tuple[Optimization, Optimization] = ("all", "none")


@dataclass(frozen=True, slots=True)
class Step:
    """How far one stage is from another over all samples.

    Attributes:
        max_abs: largest difference of an output value.
        sqnr_db: signal to noise, with the earlier stage as the signal; infinite where equal.
    """

    max_abs: float
    sqnr_db: float

    def as_json(self) -> dict[str, float | None]:
        """Both figures; an infinite ratio is null."""
        return {
            "max_abs": float(f"{self.max_abs:.4g}"),
            "sqnr_db": round(self.sqnr_db, 2) if np.isfinite(self.sqnr_db) else None,
        }


@dataclass(frozen=True, slots=True)
class Parity:
    """The steps between the stages of one graph.

    Attributes:
        samples: how many inputs.
        export: framework → exported full precision, by graph optimisation.
        reduction: exported full precision → reduced, by graph optimisation of both.
        optimizer: reduced without optimisation → the same with it: what the optimiser changes.
    """

    samples: int
    export: Mapping[Optimization, Step]
    reduction: Mapping[Optimization, Step]
    optimizer: Step

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit export --json`` lists it by role."""
        return {
            "samples": self.samples,
            "export": {level: step.as_json() for level, step in self.export.items()},
            "reduction": {level: step.as_json() for level, step in self.reduction.items()},
            "optimizer": self.optimizer.as_json(),
        }


def parity(
    graph: SourceGraph, full: onnx.ModelProto, reduced: onnx.ModelProto, feeds: Sequence[Mapping[str, Array]]
) -> Parity:
    """Runs all stages over the same inputs.

    Args:
        graph: the source, with the framework's own function.
        full: exported, uint8 NHWC in.
        reduced: quantised, uint8 NHWC in.
        feeds: input name → ``(1, height, width, 3)`` uint8.
    """
    first = [graph.framework(_normalized(next(iter(feed.values())), graph))[0] for feed in feeds]
    second = {level: _outputs(full, feeds, level) for level in LEVELS}
    scores = {level: [activate(output, graph.cut) for output in second[level]] for level in LEVELS}
    third = {level: _outputs(reduced, feeds, level) for level in LEVELS}
    return Parity(
        samples=len(feeds),
        export={level: _step(first, scores[level]) for level in LEVELS},
        reduction={level: _step(second[level], third[level]) for level in LEVELS},
        optimizer=_step(third["none"], third["all"]),
    )


def _normalized(nhwc: Array, graph: SourceGraph) -> npt.NDArray[np.float32]:
    """What the framework is given: NCHW float32, normalised as the recipe says, outside any graph."""
    values = nhwc.astype(np.float32)
    for op in graph.spec.input.ops:
        if isinstance(op, Normalize):
            values = (values - np.asarray(op.mean, np.float32)) / np.asarray(op.std, np.float32)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2), dtype=np.float32)


def _outputs(
    model: onnx.ModelProto, feeds: Sequence[Mapping[str, Array]], level: Optimization
) -> list[Array]:
    session = session_of(model, optimization=level)
    return [session.run(feed)[0] for feed in feeds]


def _step(signal: Sequence[Array], other: Sequence[Array]) -> Step:
    a = np.concatenate([np.asarray(x, np.float64).reshape(-1) for x in signal])
    b = np.concatenate([np.asarray(x, np.float64).reshape(-1) for x in other])
    return Step(float(np.abs(a - b).max()), sqnr_db(a, b))
