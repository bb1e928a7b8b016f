"""Three stages side by side: framework, exported full precision, reduced; with graph optimisation and without.

An export fault must not be blamed on quantisation, nor an optimiser's on either. Every stage is run by the
options that ship; "none" shows what the optimiser changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import onnx

from edgekit.bundle.detect_head import DetectHead
from edgekit.bundle.manifest import Head, ImageInput, Normalize, TextInput
from edgekit.engines.protocol import Session
from edgekit.evaluation.origin import Stages, Step
from edgekit.processing.activations import activate
from edgekit.processing.detection import part_values
from edgekit.statistics.sqnr import Sqnr
from edgekit.types import Array
from edgekit_export.convert.session import session_of
from edgekit_export.sources.source import SourceGraph

Optimization = Literal["all", "none"]
Graph = onnx.ModelProto | bytes
"""A graph in memory: ONNX, or a TFLite file."""

LEVELS: tuple[Optimization, Optimization] = ("all", "none")


def parity(graph: SourceGraph, full: Graph, reduced: Graph, feeds: Sequence[Mapping[str, Array]]) -> Stages:
    """Runs all stages over the same inputs.

    Args:
        graph: the source, with the framework's own function.
        full: exported, pictures uint8 NHWC; ONNX, or a TFLite file.
        reduced: quantised, of the same format.
        feeds: input name → array; a picture's is ``(1, height, width, 3)`` uint8.
    """
    first = [_given(graph, graph.framework(_framework_feed(f, graph))) for f in feeds]
    if isinstance(full, bytes):
        feeds = [_of_fixed_length(feed, graph) for feed in feeds]
    second = {level: _outputs(full, feeds, level) for level in LEVELS}
    head = graph.given or graph.spec.head if isinstance(full, bytes) else graph.spec.head
    scores = {level: [_scores(graph, head, outputs) for outputs in second[level]] for level in LEVELS}
    third = {level: _outputs(reduced, feeds, level) for level in LEVELS}
    return Stages(
        samples=len(feeds),
        export={level: _step(first, scores[level]) for level in LEVELS},
        reduction={level: _step(_all(second[level]), _all(third[level])) for level in LEVELS},
        optimizer=_step(_all(third["none"]), _all(third["all"])),
    )


def _framework_feed(feed: Mapping[str, Array], graph: SourceGraph) -> Mapping[str, Array]:
    """What the framework is given: a picture as NCHW float32, normalised as the recipe says, outside any graph."""
    if not isinstance(graph.spec.input, ImageInput):
        return feed
    ((name, nhwc),) = feed.items()
    values: Array = nhwc.astype(np.float32)
    for op in graph.spec.input.ops:
        if isinstance(op, Normalize):
            values = (values - np.asarray(op.mean, np.float32)) / np.asarray(op.std, np.float32)
    return {name: np.ascontiguousarray(values.transpose(0, 3, 1, 2), dtype=np.float32)}


def _of_fixed_length(feed: Mapping[str, Array], graph: SourceGraph) -> Mapping[str, Array]:
    """What a TFLite graph of text is given: ids behind the text are of no weight, as its mask says."""
    spec = graph.spec.input
    if not isinstance(spec, TextInput):
        return feed
    missing = {name: spec.max_tokens - array.shape[1] for name, array in feed.items()}
    return {
        name: np.pad(array, ((0, 0), (0, missing[name]))).astype(np.int32) for name, array in feed.items()
    }


def _outputs(
    model: Graph, feeds: Sequence[Mapping[str, Array]], level: Optimization
) -> list[dict[str, Array]]:
    """Name → array, for each feed."""
    session = _session(model, level)
    names = [output.name for output in session.outputs]
    return [dict(zip(names, session.run(feed), strict=True)) for feed in feeds]


def _session(model: Graph, level: Optimization) -> Session:
    if isinstance(model, onnx.ModelProto):
        return session_of(model, optimization=level)
    from edgekit_export.tflite.tap import session_of_tflite

    return session_of_tflite(model, optimization=level)


def _all(samples: Sequence[Mapping[str, Array]]) -> list[Array]:
    return [output for outputs in samples for output in outputs.values()]


def _given(graph: SourceGraph, outputs: Sequence[Array]) -> Array:
    """What the framework gave, as the head reads it."""
    if graph.given is None:
        return outputs[0]
    return part_values(dict(zip(graph.outputs, outputs, strict=True)), graph.given, _side(graph))


def _scores(graph: SourceGraph, head: Head, outputs: Mapping[str, Array]) -> Array:
    """The same of the exported graph, behind the activations that its head applies instead."""
    if isinstance(head, DetectHead):
        return part_values(outputs, head, _side(graph))
    return activate(next(iter(outputs.values())), graph.cut)


def _side(graph: SourceGraph) -> int:
    """The longer side of the input, by which differences of boxes in pixels are told."""
    return max(*graph.spec.shape[2:], 1)


def _step(signal: Sequence[Array], other: Sequence[Array]) -> Step:
    a = np.concatenate([np.asarray(x, np.float64).reshape(-1) for x in signal])
    b = np.concatenate([np.asarray(x, np.float64).reshape(-1) for x in other])
    noise = Sqnr()
    noise.add(a, b)
    return Step(float(f"{np.abs(a - b).max():.4g}"), None if noise.db is None else round(noise.db, 2))
