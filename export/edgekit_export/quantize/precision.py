"""One graph, reduced: the table of precisions and what makes each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import onnx

from edgekit.types import Array
from edgekit_export.convert.graph import GraphView
from edgekit_export.quantize.observe import observe
from edgekit_export.quantize.placement import Mode, layers, place
from edgekit_export.quantize.ranges import choose_range
from edgekit_export.quantize.weights import nearest, read_weights, smallest_scale
from edgekit_export.quantize.write_qdq import Layer, write_qdq

Precision = Literal["int8", "fp16", "fp32"]


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    model: onnx.ModelProto
    recipe: str
    exact: bool
    report: dict[str, Any]


def reduce_precision(
    model: onnx.ModelProto,
    precision: Precision,
    feeds: Iterable[Mapping[str, Array]] | None,
    advance: Callable[..., None],
) -> Reduced:
    view = GraphView(model)
    ls = layers(model)
    if precision == "fp32":
        return Reduced(model, "full_precision", False, {})
    mode = Mode.INT8 if precision == "int8" else Mode.HALF
    placement = place(model, {n.output[0]: mode for n in ls})
    hist = observe(model, placement.own_code, feeds) if placement.own_code else {}
    codes = {n: choose_range(h, "min_max", placement.limits.get(n)) for n, h in hist.items()}
    out = {}
    for n in ls:
        w = read_weights(view, n)
        name = n.output[0]
        code = codes.get(placement.same_code.get(n.input[0], n.input[0]))
        out[name] = Layer(mode, w, nearest(w.weight, smallest_scale(w, code.scale)) if mode is Mode.INT8 else None)
    return Reduced(write_qdq(model, placement, codes, out), "static_wi8_ai8" if precision == "int8" else "weight_only_fp16", False, {})
