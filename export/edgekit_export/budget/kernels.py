"""The engine's profile of a graph, told by the layers of that graph.

The optimiser fuses what follows a layer into its kernel, which may then be named for the last tensor. What is not
found by the layer's own name is found by going back from there.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx

from edgekit.errors import ModelError
from edgekit_export.convert.graph import GraphView
from edgekit_export.convert.kernel_names import name_nodes, tensor_of
from edgekit_export.convert.session import profiled
from edgekit_export.quantize.tap import Batch

_SUFFIX = "_kernel_time"
_COMPUTING = frozenset(
    {"Conv", "FusedConv", "ConvInteger", "QLinearConv", "Gemm", "FusedGemm", "QGemm", "MatMul", "FusedMatMul"}
    | {"QLinearMatMul", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"}
)
"""Operators, the engine's own among them, that multiply by a weight."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Medians over the runs.

    Attributes:
        layers_ms: layer → time of its kernels.
        rest_ms: of all other kernels.
    """

    layers_ms: Mapping[str, float]
    rest_ms: float


def profiles(
    models: Sequence[tuple[onnx.ModelProto, Sequence[str]]],
    feeds: Sequence[Batch],
    threads: int,
    warm_up: int,
) -> list[Profile]:
    """Runs models in turns, each once a feed.

    Args:
        models: each with the outputs of its layers.
        feeds: inputs.
        threads: of the engine.
        warm_up: runs at the beginning that do not count.

    Raises:
        ModelError: a layer has no kernel in the profile.
    """
    named = [name_nodes(model) for model, _ in models]
    events = profiled(named, feeds, threads)
    return [
        _profile(model, wanted, found, warm_up) for (model, wanted), found in zip(models, events, strict=True)
    ]


def _profile(
    model: onnx.ModelProto, wanted: Sequence[str], events: Sequence[Mapping[str, Any]], warm_up: int
) -> Profile:
    kernels: dict[str, list[float]] = {}
    operators: dict[str, str] = {}
    for event in events:
        if event["name"].endswith(_SUFFIX):
            name = event["name"].removesuffix(_SUFFIX)
            kernels.setdefault(name, []).append(event["dur"] / 1000)
            operators[name] = event["args"]["op_name"]
    medians = {name: statistics.median(times[warm_up:]) for name, times in kernels.items()}
    times = dict.fromkeys(wanted, 0.0)
    owners = layer_of_kernel(model, wanted, [name for name in kernels if operators[name] in _COMPUTING])
    for name, layer in owners.items():
        times[layer] += medians[name]
    return Profile(times, sum(medians[name] for name in medians if name not in owners))


def layer_of_kernel(model: onnx.ModelProto, wanted: Sequence[str], kernels: Sequence[str]) -> dict[str, str]:
    """Kernel → the layer that it computes.

    Args:
        model: before optimisation.
        wanted: outputs of the layers.
        kernels: names of those that multiply by weights, in the order in which they run.

    Raises:
        ModelError: a layer has no kernel.
    """
    view = GraphView(model)
    tensors = {name: tensor_of(name) for name in kernels}
    owners = {name: tensor for name, tensor in tensors.items() if tensor in wanted}
    for name, tensor in tensors.items():
        if name not in owners and (found := _behind(view, tensor, set(wanted) - set(owners.values()))):
            owners[name] = found
    missing = [layer for layer in wanted if layer not in owners.values()]
    if missing:
        raise ModelError(f"profile: no kernel found for {len(missing)} layers: {', '.join(missing[:4])}")
    return owners


def _behind(view: GraphView, tensor: str, free: Collection[str]) -> str | None:
    """The last of the ``free`` layers on the ways back from ``tensor`` that pass no other operator with weights."""
    pending, reached = [tensor], set()
    while pending:
        name = pending.pop()
        node = view.producer.get(name)
        if name in free:
            reached.add(name)
        elif node is not None and node.op_type not in _COMPUTING:
            pending.extend(node.input)
    order = [name for node in view.graph.node for name in node.output if name in reached]
    return order[-1] if order else None
