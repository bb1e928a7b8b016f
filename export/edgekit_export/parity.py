"""Three stages side by side: framework, exported full precision, reduced; with graph optimisation and without.

An export fault must not be blamed on quantisation, nor an optimiser's on either. Every stage is run by the
options that ship; "none" shows what the optimiser changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnx

from edgekit.bundle.manifest import Normalize
from edgekit.evaluation.origin import Stages, Step
from edgekit.processing.activations import activate
from edgekit.statistics.sqnr import Sqnr
from edgekit.types import Array
from edgekit_export.convert.session import session_of
from edgekit_export.sources.source import SourceGraph

Optimization = Literal["all", "none"]
LEVELS: tuple[Optimization, Optimization] = ("all", "none")


def parity(
    graph: SourceGraph, full: onnx.ModelProto, reduced: onnx.ModelProto, feeds: Sequence[Mapping[str, Array]]
) -> Stages:
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
    return Stages(
        samples=len(feeds),
        export={level: _step(first, scores[level]) for level in LEVELS},
        reduction={level: _step(second[level], third[level]) for level in LEVELS},
        optimizer=_step(third["none"], third["all"]),
    )


def _normalized(nhwc: Array, graph: SourceGraph) -> npt.NDArray[np.float32]:
    """What the framework is given: NCHW float32, normalised as the recipe says, outside any graph."""
    values: Array = nhwc.astype(np.float32)
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
    noise = Sqnr()
    noise.add(a, b)
    return Step(float(f"{np.abs(a - b).max():.4g}"), None if noise.db is None else round(noise.db, 2))
