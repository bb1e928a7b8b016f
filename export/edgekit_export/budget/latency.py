"""What each layer costs in time, in float32 and as int8 codes: measured on this machine, or estimated for another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
import onnx

from edgekit.errors import ModelError
from edgekit_export.budget.kernels import profiles
from edgekit_export.convert.graph import GraphView, attribute
from edgekit_export.layers.operators import Operator, Parameters, operators
from edgekit_export.quantize.placement import LAYERS, layers
from edgekit_export.quantize.tap import Batch, Tap
from edgekit_export.quantize.weights import read_weights
from edgekit_export.target import Arithmetic, Kind, Target

WARM_UP = 3
_NARROW = 16


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one run.

    Attributes:
        float_ms: in float32.
        int8_ms: in codes of 8 bits.
    """

    float_ms: float
    int8_ms: float


@dataclass(frozen=True, slots=True)
class Latency:
    """The time of a graph as a sum.

    Attributes:
        layers: layer → its own time.
        rest: of all other operators, in either graph: gates, say, that are float between codes in an int8 graph. 0 in
            an estimate, which knows layers only.
    """

    layers: Mapping[str, Times]
    rest: Times


@dataclass(frozen=True, slots=True)
class Work:
    """What a layer computes for one input.

    Attributes:
        kind: of its kernel.
        macs: multiply-accumulates.
        outputs: values that it gives.
        rows: multiply-accumulates of the output's first column.
        weights: values of its weight.
    """

    kind: Kind
    macs: int
    outputs: int
    rows: int
    weights: int


def measured(
    full: onnx.ModelProto, int8: onnx.ModelProto, feeds: Sequence[Batch], threads: int, runs: int = 30
) -> Latency:
    """Medians of the engine's own profile on this machine, both graphs run in turns.

    Args:
        full: normalised float graph.
        int8: the same network, reduced; whatever its layers became, their times are given as ``int8_ms``.
        feeds: inputs of both, repeated until there are ``runs``.
        threads: of the engine.
        runs: that are counted, after a few that are not.

    Raises:
        ModelError: the graphs are not of the same network, or a layer cannot be found in the profile.
    """
    names = {node.output[0] for node in layers(full)}
    pairs = {one: other for one, other in _layer_pairs(full, int8) if one in names}
    repeated = list(islice(cycle(feeds), WARM_UP + runs))
    wanted = [(full, list(pairs)), (int8, list(pairs.values()))]
    ours, theirs = profiles(wanted, repeated, threads, WARM_UP)
    times = {one: Times(ours.layers_ms[one], theirs.layers_ms[other]) for one, other in pairs.items()}
    return Latency(times, Times(ours.rest_ms, theirs.rest_ms))


def _layer_pairs(full: onnx.ModelProto, int8: onnx.ModelProto) -> list[tuple[str, str]]:
    """Output of each layer in both graphs, which have them in the same order; a Gemm may have become a MatMul."""
    ours, theirs = (_with_weights(model) for model in (full, int8))
    if [sorted(one.shape) for one in ours] != [sorted(other.shape) for other in theirs]:
        raise ModelError(
            f"latency: expected the same {len(ours)} layers in both graphs, got {len(theirs)} or others",
            "measure a graph beside the one that it was made from",
        )
    return [(one.node.output[0], other.node.output[0]) for one, other in zip(ours, theirs, strict=True)]


def _with_weights(model: onnx.ModelProto) -> list[Operator]:
    view = GraphView(model)
    return [found for found in operators(view, Parameters(view)) if found.node.op_type in LAYERS]


def estimated(full: onnx.ModelProto, feed: Batch, target: Target, threads: int | None = None) -> Latency:
    """What the target's table of instructions says, or its memory where that is slower.

    A ratio of such estimates is worth more than an estimate: see :mod:`edgekit_export.target`.

    Args:
        full: normalised float graph.
        feed: one input, for the sizes of what is computed.
        target: the processor.
        threads: cores that share the work; all of the target's where it is not said.
    """
    cores = min(threads or target.cores, target.cores)
    times = {
        name: Times(_milliseconds(work, "float32", target, cores), _milliseconds(work, "int8", target, cores))
        for name, work in works(full, feed).items()
    }
    return Latency(times, Times(0.0, 0.0))


def _milliseconds(work: Work, arithmetic: Arithmetic, target: Target, cores: int) -> float:
    cost = target.costs[work.kind, arithmetic]
    instructions = cost.mac * work.macs + cost.output * work.outputs + cost.row * work.rows
    computing_s = instructions / (target.instructions_per_cycle * target.clock_hz * cores)
    reading_s = work.weights * (4 if arithmetic == "float32" else 1) / target.read_bytes_per_s
    return 1000 * max(computing_s, reading_s)


def works(full: onnx.ModelProto, feed: Batch) -> dict[str, Work]:
    """Layer → what it computes for this input, in graph order."""
    view, nodes = GraphView(full), layers(full)
    found = {}
    for name, value in Tap(full, [node.output[0] for node in nodes])(feed).items():
        weight = read_weights(view, view.producer[name]).weight
        depth = int(np.prod(weight.shape[1:]))
        kind = _kind(view.producer[name], weight.shape)
        macs = value.size * depth
        found[name] = Work(kind, macs, value.size, macs // value.shape[-1], weight.size)
    return found


def _kind(node: onnx.NodeProto, shape: tuple[int, ...]) -> Kind:
    """By the shape of its weight, output channels first."""
    window = shape[2:]
    if all(side == 1 for side in window) and attribute(node, "group", 1) == 1:
        return Kind.POINTWISE
    if shape[1] > 1 or attribute(node, "group", 1) == 1:
        return Kind.NARROW if shape[1] <= _NARROW else Kind.SPATIAL
    strides = attribute(node, "strides", [1])
    if strides[-1] > 1:
        return Kind.DEPTHWISE_STRIDED
    return Kind.DEPTHWISE_3X3 if window == (3, 3) and set(strides) == {1} else Kind.DEPTHWISE
