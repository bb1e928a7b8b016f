"""Noise of graphs whose layers keep their tensors: dynamic layers and lookup tables, as transformers have them.

What a reduced graph computes for such a layer starts at tensors of the full-precision graph and ends at the layer's
own, all under the same names. So a layer alone is the full-precision graph with these operators in place of its node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import onnx

from edgekit.evaluation.origin import LayerNoise
from edgekit.statistics.sqnr import Sqnr
from edgekit_export.convert.graph import GraphView, copy_node, set_constants, set_nodes
from edgekit_export.convert.session import session_of
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.tap import Batch, Tap

_KEPT = frozenset({"MatMul", "Gemm", "Gather", "Conv"})
DIGITS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Substitute:
    """What a reduced graph computes in place of one node.

    Attributes:
        node: of the full-precision graph.
        nodes: of the reduced graph, in their order.
        mode: how they compute.
    """

    node: onnx.NodeProto
    nodes: tuple[onnx.NodeProto, ...]
    mode: Mode


def keeps_tensors(full: onnx.ModelProto, reduced: onnx.ModelProto) -> bool:
    """Whether the reduced graph has dynamic layers or tables in codes, which other readers do not know."""
    view, reading = GraphView(full), GraphView(reduced)
    return any(
        node.op_type in ("MatMul", "Gemm", "Gather")
        and (made := reading.producer.get(name)) is not None
        and made.op_type in ("Add", "Mul")
        for name, node in view.producer.items()
    )


def substitutes(full: onnx.ModelProto, reduced: onnx.ModelProto) -> list[Substitute]:
    """Every node that the reduced graph computes in another way, in graph order."""
    view, reading = GraphView(full), GraphView(reduced)
    known = {*view.producer, *view.inputs}
    order = {id(node): place for place, node in enumerate(reading.graph.node)}
    found = []
    for node in full.graph.node:
        name = node.output[0]
        made = reading.producer.get(name) if node.op_type in _KEPT else None
        if made is None:
            continue
        nodes = sorted(_behind(reading, made, known), key=lambda n: order[id(n)])
        if len(nodes) > 1:
            found.append(Substitute(node, tuple(nodes), _mode(reading, nodes)))
    return found


def _behind(view: GraphView, last: onnx.NodeProto, known: set[str]) -> Iterator[onnx.NodeProto]:
    """Nodes that make ``last`` out of tensors that are known, itself included; each once."""
    seen, waiting = {id(last)}, [last]
    while waiting:
        node = waiting.pop()
        yield node
        for name in node.input:
            maker = None if name in known else view.producer.get(name)
            if maker is not None and id(maker) not in seen:
                seen.add(id(maker))
                waiting.append(maker)


def _mode(view: GraphView, nodes: Sequence[onnx.NodeProto]) -> Mode:
    if any(node.op_type == "QuantizeLinear" for node in nodes):
        return Mode.DYNAMIC
    kinds = {
        view.constants[name].data_type for node in nodes for name in node.input if name in view.constants
    }
    return Mode.HALF if onnx.TensorProto.FLOAT16 in kinds else Mode.WEIGHT8


def substituted_noise(
    full: onnx.ModelProto,
    reduced: onnx.ModelProto,
    samples: Sequence[Batch],
    advance: Callable[..., Any] = lambda: None,
) -> tuple[LayerNoise, ...]:
    """Noise of each layer alone at the graph's first output, and of its own tensor in the reduced graph.

    Raises:
        ModelError: the engine refuses a graph.
    """
    layers = substitutes(full, reduced)
    names = [layer.node.output[0] for layer in layers]
    seen = {name: Sqnr() for name in names}
    for one, other in zip(Tap(full, names).over(samples), Tap(reduced, names).over(samples), strict=True):
        for name in names:
            seen[name].add(one[name], other[name])
    session = session_of(full)
    wanted = [session.run(feed)[0] for feed in samples]
    noise = []
    for layer, name in zip(layers, names, strict=True):
        alone, single = Sqnr(), session_of(_with(full, reduced, layer))
        for feed, signal in zip(samples, wanted, strict=True):
            alone.add(signal, single.run(feed)[0])
        ratios = _rounded(alone.db), _rounded(seen[name].db)
        noise.append(LayerNoise(name, layer.node.op_type, layer.mode.value, *ratios))
        advance()
    return tuple(noise)


def _with(full: onnx.ModelProto, reduced: onnx.ModelProto, layer: Substitute) -> onnx.ModelProto:
    """The full-precision graph with one layer as it is reduced."""
    made, constants = onnx.ModelProto(), GraphView(reduced).constants
    made.CopyFrom(full)
    name = layer.node.output[0]
    nodes: list[onnx.NodeProto] = []
    for node in made.graph.node:
        nodes += [copy_node(n) for n in layer.nodes] if node.output[0] == name else [node]
    set_nodes(made.graph, nodes)
    needed = {read for node in layer.nodes for read in node.input if read in constants}
    kept = [tensor for tensor in made.graph.initializer if tensor.name not in needed]
    set_constants(made.graph, [*kept, *(constants[read] for read in sorted(needed))])
    return made


def _rounded(ratio_db: float | None) -> float | None:
    return None if ratio_db is None else round(ratio_db, DIGITS)
