"""One graph, reduced: the table of precisions, and what makes each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import onnx

from edgekit.errors import UsageError
from edgekit.types import Array
from edgekit_export.quantize.quantize import Quantized, quantize
from edgekit_export.quantize.recipe import HALF_WEIGHTS, Recipe
from edgekit_export.quantize.write_qdq import Layer

Precision = Literal["int8", "fp16", "fp32"]


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """A graph of a lower precision.

    Attributes:
        model: uint8 NHWC in, as the float graph.
        recipe: the recipe's name.
        written: layer name → what was written for it; empty for ``fp32``.
        exact: whether its arithmetic gives the same bits on every CPU.
        report: mode → ``{"layers": how many, "bytes": of their parameters}``.
    """

    model: onnx.ModelProto
    recipe: str
    written: Mapping[str, Layer] = field(default_factory=dict)
    exact: bool = False
    report: Mapping[str, Any] = field(default_factory=dict)


def reduce_precision(
    model: onnx.ModelProto,
    precision: Precision,
    recipe: Recipe,
    feeds: Iterable[Mapping[str, Array]] | None,
    advance: Callable[..., None],
) -> Reduced:
    """Brings a normalised float graph to a precision.

    Args:
        model: not changed.
        precision: ``fp32`` gives it back; ``fp16`` stores its weights in half the bytes; ``int8`` follows
            ``recipe``.
        recipe: how int8 is made.
        feeds: calibration data, which most int8 recipes need; iterated several times.
        advance: called as work goes on.

    Raises:
        UsageError: no calibration data, and the recipe needs it.
        ModelError: the recipe names a layer that the graph does not have.
    """
    if precision == "fp32":
        return Reduced(model, "full_precision")
    if precision == "fp16":
        return _reduced(quantize(model, (), HALF_WEIGHTS))
    if feeds is None and recipe.needs_data:
        raise UsageError(f"{recipe.name} needs data to calibrate on", "add --calib DATA")
    return _reduced(quantize(model, feeds or (), recipe, lambda step, done, total: advance()))


def _reduced(made: Quantized) -> Reduced:
    report: dict[str, dict[str, int]] = {}
    for layer in made.layers:
        entry = report.setdefault(layer.mode.value, {"layers": 0, "bytes": 0})
        entry["layers"] += 1
        entry["bytes"] += layer.bytes
    return Reduced(made.model, made.recipe.name, made.written, made.exact, report)
