"""The recipe of an allocation, and the tables that allocations are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import onnx

from edgekit_export.budget.latency import Latency
from edgekit_export.budget.table import LayerTable, table_of
from edgekit_export.calibration import Feeds
from edgekit_export.layers.origin import few
from edgekit_export.quantize.calibrate import calibrate_apart
from edgekit_export.quantize.calibrated import Calibrated
from edgekit_export.quantize.placement import Mode, layers
from edgekit_export.quantize.progress import Progress
from edgekit_export.quantize.quantize import build
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.quantize.recurrent import recurrent
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.thinned import Thinned

DAMPING = 0.3
"""Found on photographs that the covariance was not taken of (docs/decisions/budget.md)."""
SAMPLES = 2000
JUDGING = 16
"""Samples that each choice for each layer is judged on: they tell layers apart by orders of magnitude."""


Clock = Callable[[onnx.ModelProto, onnx.ModelProto, Sequence[Batch]], Latency]
"""The time of every layer: of a float graph, the same graph in int8, and inputs."""


def mixed_recipe(
    base: Recipe, model: onnx.ModelProto, modes: Mapping[str, Mode], *, coded: bool = False
) -> Recipe:
    """A width of weight for each layer; what is no layer stays as the base has it.

    Args:
        base: of the graph's own recipe.
        model: normalised float graph.
        modes: layer → mode.
        coded: int8 codes are among the choices, so that calibration takes ranges; else activations are float.
    """
    others = {node.output[0] for node in recurrent(model)}
    return replace(
        base,
        name="static_mixed" if Mode.INT8 in modes.values() else "weight_only_mixed",
        mode=Mode.INT8 if coded else Mode.WEIGHT8,
        rounding="output",
        damping=DAMPING,
        correct_bias=True,
        wide=(),
        weight8=(),
        half=tuple(name for name in base.half if name in others),
        modes=tuple(modes.items()),
        keep_below_db=0.0,
        tflite="as_onnx",
        samples=SAMPLES,
    )


def measured(
    model: onnx.ModelProto, feeds: Feeds, base: Recipe, progress: Progress, clock: Clock | None = None
) -> tuple[LayerTable, Calibrated]:
    """The choices of one graph, and all that building any of them needs.

    Weights are rounded without a fifth of the sources and judged on these; what ships is rounded with all.

    Args:
        model: normalised float graph.
        feeds: calibration data.
        base: of the graph's own recipe.
        progress: told about every sample and layer.
        clock: tells the layers' times, where time is limited.
    """
    recipe = mixed_recipe(base, model, {}, coded=clock is not None)
    batches = Thinned(feeds, recipe.samples)
    held = feeds.held(batches.numbers)
    marks = {number: place for place, number in enumerate(batches.numbers)}
    judging = few([feeds[number] for number in _even(held or batches.numbers)], JUDGING)
    apart, ready = calibrate_apart(model, batches, {marks[number] for number in held}, recipe, progress)
    latency = None
    if clock is not None:
        codes = dict.fromkeys((node.output[0] for node in layers(apart.model)), Mode.INT8)
        latency = clock(build(apart, {}).model, build(apart, codes).model, judging)
    return table_of(apart, judging, progress, latency), ready


def _even(numbers: Sequence[int]) -> list[int]:
    count = min(JUDGING, len(numbers))
    return [numbers[i * len(numbers) // count] for i in range(count)]
