"""One graph, reduced: which recipe makes a precision, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import onnx

from edgekit.errors import UsageError
from edgekit.types import Array
from edgekit_export.quantize.choose import recipe_for
from edgekit_export.quantize.quantize import Quantized, quantize
from edgekit_export.quantize.recipe import HALF_WEIGHTS, Recipe
from edgekit_export.quantize.write_qdq import Layer

Precision = Literal["int8", "mixed", "fp16", "fp32"]


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


def recipe_of(model: onnx.ModelProto, precision: Precision, table: Mapping[str, Any]) -> Recipe | None:
    """What makes a precision of a graph; nothing does for ``fp32``.

    Args:
        model: normalised float graph.
        precision: ``fp16`` stores weights in half the bytes; ``int8`` follows ``table``.
        table: ``quantize`` of a model's recipe.

    Raises:
        UsageError: the table has an unknown key, or a value out of range.
    """
    if precision == "fp32":
        return None
    return HALF_WEIGHTS if precision == "fp16" else recipe_for(model, table)


def reduce_precision(
    model: onnx.ModelProto,
    recipe: Recipe | None,
    feeds: Iterable[Mapping[str, Array]] | None,
    advance: Callable[..., None],
) -> Reduced:
    """Brings a normalised float graph to a lower precision.

    Args:
        model: not changed.
        recipe: what to do; ``None`` gives the graph back.
        feeds: calibration data, which most recipes need; iterated several times.
        advance: called as work goes on.

    Raises:
        UsageError: no calibration data, and the recipe needs it.
        ModelError: the recipe names a layer that the graph does not have.
    """
    if recipe is None:
        return Reduced(model, "full_precision")
    if feeds is None and recipe.needs_data:
        raise UsageError(f"{recipe.name} needs data to calibrate on", "add --calib DATA")
    return reduced(quantize(model, feeds or (), recipe, lambda step, done, total: advance()))


def reduced(made: Quantized) -> Reduced:
    """A quantised graph as one of lower precision."""
    report: dict[str, dict[str, int]] = {}
    for layer in made.layers:
        entry = report.setdefault(layer.mode.value, {"layers": 0, "bytes": 0})
        entry["layers"] += 1
        entry["bytes"] += layer.bytes
    return Reduced(made.model, made.recipe.name, made.written, made.exact, report)
