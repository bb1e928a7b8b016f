"""From a float graph and calibration data to all that rounding needs: ranges of tensors, moments of layers' inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

import onnx

from edgekit_export.convert.graph import GraphView
from edgekit_export.quantize.calibrated import Calibrated
from edgekit_export.quantize.covariance import collect_moments
from edgekit_export.quantize.modes import may_code
from edgekit_export.quantize.observe import observe
from edgekit_export.quantize.odd_ratios import settle_ratios
from edgekit_export.quantize.picture import whole_mean
from edgekit_export.quantize.placement import Mode, Placement, layers, place
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.ranges import choose_range
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.weights import read_weights
from edgekit_export.quantize.wide import fine_code
from edgekit_export.quantize.write_qdq import Code


class Batches(Protocol):
    """Calibration data: sized, and iterated as often as wanted."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Batch]: ...


def calibrate(
    model: onnx.ModelProto, batches: Batches, recipe: Recipe, progress: Progress = silent
) -> Calibrated:
    """Two streaming passes over the data: ranges, then moments of what layers read, rounded to their codes.

    Both are taken as if every layer computed in integers, so that modes can be chosen afterwards. A recipe that
    codes no activation needs neither ranges nor rounded inputs.

    Raises:
        DataError: there is no sample, or a value is not finite.
    """
    ready, codes = _ranges(model, batches, recipe, progress)
    _measure(ready, codes, _told(batches, "measure layers", progress), len(batches))
    return ready


def calibrate_apart(
    model: onnx.ModelProto,
    batches: Batches,
    held: Collection[int],
    recipe: Recipe,
    progress: Progress = silent,
) -> tuple[Calibrated, Calibrated]:
    """Calibrates on all but some of the batches, so that these can judge what is rounded by it, and on all.

    The second is to the bit what :func:`calibrate` gives.

    Args:
        model: normalised float graph.
        batches: calibration data.
        held: numbers of the batches that the first is without: none or some, not all.
        recipe: what may be done.
        progress: told about every sample.
    """
    ready, codes = _ranges(model, batches, recipe, progress)
    if not held:
        _measure(ready, codes, _told(batches, "measure layers", progress), len(batches))
        return ready, ready
    apart = replace(ready, moments={}, rounded={})
    _measure(apart, codes, (batch for number, batch in enumerate(batches) if number in held), len(batches))
    _measure(ready, codes, _told(batches, "measure layers", progress), len(batches))
    kept = {name: moments.without(apart.moments.get(name)) for name, moments in ready.moments.items()}
    return replace(ready, moments=kept, rounded={}), ready


def _ranges(
    model: onnx.ModelProto, batches: Batches, recipe: Recipe, progress: Progress
) -> tuple[Calibrated, dict[str, Code]]:
    """All but the moments, and the code of every coded tensor."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    pixels, wanted = whole_mean(made), layers(made)
    usual = Mode.INT8 if may_code(made, recipe) else Mode.FLOAT
    placement = place(made, {node.output[0]: usual for node in wanted})
    own = [name for name in placement.own_code if name not in pixels]
    histograms = observe(made, own, _told(batches, "calibrate ranges", progress)) if own else {}
    ready = Calibrated(made, recipe, pixels, histograms)
    codes = with_same_codes(placement, choose_codes(ready, placement))
    read = {node.output[0]: node.input[0] for node in wanted}
    ready.input_scales = {name: codes[source].scale for name, source in read.items() if source in codes}
    return ready, codes


def _measure(ready: Calibrated, codes: Mapping[str, Code], batches: Iterable[Batch], samples: int) -> None:
    """Measures what layers read on these batches, some of so many samples; nothing where no one asks."""
    view, wanted = GraphView(ready.model), layers(ready.model)
    if not wanted or (ready.recipe.rounding != "output" and not ready.recipe.correct_bias):
        return
    shapes = {node.output[0]: read_weights(view, node).weight.shape for node in wanted}
    ready.moments = collect_moments(ready.model, wanted, shapes, codes, batches, samples=samples)


def choose_codes(ready: Calibrated, placement: Placement) -> dict[str, Code]:
    """Code of every tensor that has one of its own."""
    view, found = GraphView(ready.model), dict(ready.pixels)
    for name in placement.own_code:
        if name in found:
            continue
        histogram, limit = ready.histograms[name], placement.limits.get(name)
        if name in placement.fine:
            readers = [read_weights(view, node).weight for node in view.consumers[name]]
            high = histogram.high if limit is None else min(histogram.high, limit)
            low = 0.0 if name in placement.absorbed else histogram.low
            found[name] = fine_code(low, high, readers)
        else:
            found[name] = choose_range(histogram, ready.recipe.ranges, limit)
    return settle_ratios(ready.model, placement, found, set(ready.pixels))


def with_same_codes(placement: Placement, codes: Mapping[str, Code]) -> dict[str, Code]:
    """Code of every coded tensor, from those of tensors that have one of their own."""
    return {name: codes[placement.same_code.get(name, name)] for name in placement.coded}


def _told(batches: Batches, step: str, progress: Progress) -> Iterator[Batch]:
    total = len(batches)
    for done, batch in enumerate(batches):
        progress(step, done, total)
        yield batch
    progress(step, total, total)
