"""From a float graph and calibration data to a quantised graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import onnx

from edgekit.errors import ModelError
from edgekit_export.convert.graph import GraphView
from edgekit_export.quantize.calibrated import Calibrated
from edgekit_export.quantize.covariance import bias_shift, collect_moments
from edgekit_export.quantize.exact import is_exact
from edgekit_export.quantize.integer import largest_code
from edgekit_export.quantize.observe import observe
from edgekit_export.quantize.odd_ratios import settle_ratios
from edgekit_export.quantize.picture import whole_mean
from edgekit_export.quantize.placement import CODED, WEIGHT_BITS, Mode, Placement, layers, place
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.ranges import choose_range
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.quantize.recurrent import recurrent, reduce_recurrent
from edgekit_export.quantize.round_weights import round_to_output
from edgekit_export.quantize.sensitivity import sensitivity
from edgekit_export.quantize.tables import reduce_tables, tables
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.thinned import Thinned
from edgekit_export.quantize.weights import Codes, LayerWeights, nearest, read_weights, smallest_scale
from edgekit_export.quantize.wide import fine_code, wide_weights
from edgekit_export.quantize.write_qdq import Code, Layer, write_qdq

_Item = TypeVar("_Item")
_SMALL = 1 << 13
"""Weights of a layer that is not worth coding its input for: a classifier's last one."""


@dataclass(frozen=True, slots=True)
class LayerReport:
    """What became of one layer.

    Attributes:
        name: the layer's output tensor.
        operator: its operator type.
        shape: of its weight, output channels first.
        mode: how it computes.
        bytes: of its weight, scales and bias in the file.
    """

    name: str
    operator: str
    shape: tuple[int, ...]
    mode: Mode
    bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Quantized:
    """A quantised model and what was done.

    Attributes:
        model: the graph.
        recipe: what was asked for.
        layers: one entry a layer, in graph order.
        written: layer name → what was written for it; its ``weights.weight`` is in float, as it came.
        exact: whether every CPU computes the same bits, see :func:`edgekit_export.quantize.exact.is_exact`.
    """

    model: onnx.ModelProto
    recipe: Recipe
    layers: tuple[LayerReport, ...]
    written: Mapping[str, Layer]
    exact: bool


def quantize(
    model: onnx.ModelProto, batches: Iterable[Batch], recipe: Recipe, progress: Progress = silent
) -> Quantized:
    """Quantises a normalised float graph.

    Args:
        model: as :func:`edgekit_export.convert.normalize.normalize` gives it; not changed.
        batches: calibration data, input name → array; iterated several times, and not at all by a recipe that needs
            none.
        recipe: what to do.
        progress: told about every sample and layer.

    Raises:
        ModelError: the recipe names a layer that the graph does not have.
        DataError: no calibration data, or values that are not finite.
    """
    _check_names(model, recipe)
    batches = Thinned(batches, recipe.samples)
    known = Calibrated(model, recipe, {}, {})
    ready = calibrate(model, batches, recipe, progress) if recipe.needs_data else known
    modes = modes_of(model, recipe)
    if recipe.keep_below_db > 0:
        alone = sensitivity(ready, batches, build, progress)
        modes.update(
            (name, recipe.keep_as)
            for name, noise in alone.items()
            if noise < recipe.keep_below_db and modes[name] is Mode.INT8
        )
    return build(ready, modes, progress)


def modes_of(model: onnx.ModelProto, recipe: Recipe) -> dict[str, Mode]:
    """Layer name → mode."""
    modes = {node.output[0]: _mode_of(model, node, recipe.mode) for node in layers(model)}
    modes.update(recipe.modes)
    modes.update(dict.fromkeys(recipe.weight8, Mode.WEIGHT8))
    modes.update(dict.fromkeys(recipe.half, Mode.HALF))
    modes.update(dict.fromkeys(recipe.wide, Mode.WIDE))
    return {node.output[0]: modes[node.output[0]] for node in layers(model)}  # recurrent ones have none


def _mode_of(model: onnx.ModelProto, node: onnx.NodeProto, mode: Mode) -> Mode:
    """A row of a convolution has no range of its own, and small layers cost more to code for than to compute."""
    if mode is not Mode.DYNAMIC:
        return mode
    weight = next(t for t in model.graph.initializer if t.name == node.input[1])
    return Mode.WEIGHT8 if node.op_type == "Conv" or np.prod(weight.dims) < _SMALL else mode


def calibrate(
    model: onnx.ModelProto, batches: Thinned, recipe: Recipe, progress: Progress = silent
) -> Calibrated:
    """Two streaming passes over the data: ranges, then moments of what layers read, rounded to their codes.

    Both are taken as if every layer computed in integers, so that modes can be chosen afterwards. A recipe that
    codes no activation needs neither ranges nor rounded inputs.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    pixels = whole_mean(made)
    view, wanted = GraphView(made), layers(made)
    usual = Mode.INT8 if _may_code(made, recipe) else Mode.FLOAT
    placement = place(made, {node.output[0]: usual for node in wanted})
    own = [name for name in placement.own_code if name not in pixels]
    histograms = observe(made, own, _told(batches, "calibrate ranges", progress)) if own else {}
    ready = Calibrated(made, recipe, pixels, histograms)
    codes = _with_same_codes(placement, choose_codes(ready, placement))
    read = {node.output[0]: node.input[0] for node in wanted}
    ready.input_scales = {name: codes[source].scale for name, source in read.items() if source in codes}
    if recipe.rounding == "output" or recipe.correct_bias:
        shapes = {n.output[0]: read_weights(view, n).weight.shape for n in wanted}
        told, count = _told(batches, "measure layers", progress), len(batches)
        ready.moments = collect_moments(made, wanted, shapes, codes, told, samples=count)
    return ready


def _may_code(model: onnx.ModelProto, recipe: Recipe) -> bool:
    """Whether some layer may compute in codes; a scan tries int8 everywhere."""
    return recipe.keep_below_db > 0 or bool(CODED & set(modes_of(model, recipe).values()))


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


def build(ready: Calibrated, modes: Mapping[str, Mode], progress: Progress = silent) -> Quantized:
    """The quantised graph for a choice of modes."""
    placement = place(ready.model, modes)
    codes = choose_codes(ready, placement)
    every = _with_same_codes(placement, codes)
    view, nodes = GraphView(ready.model), layers(ready.model)
    written: dict[str, Layer] = {}
    for done, node in enumerate(nodes):
        progress("round weights", done, len(nodes))
        written[node.output[0]] = _layer(ready, view, node, placement, every)
    progress("round weights", len(nodes), len(nodes))
    made = write_qdq(ready.model, placement, codes, written)
    reports = [_report(made, node, written[node.output[0]]) for node in nodes]
    reports += _reduce_tables(made, ready.recipe.mode)
    reports += _reduce_recurrent(made, ready.recipe)
    return Quantized(made, ready.recipe, tuple(reports), written, is_exact(made, placement))


def _layer(
    ready: Calibrated, view: GraphView, node: onnx.NodeProto, placement: Placement, codes: Mapping[str, Code]
) -> Layer:
    name = node.output[0]
    mode, weights = placement.modes[name], read_weights(view, node)
    if mode in WEIGHT_BITS or mode in (Mode.INT8, Mode.DYNAMIC):
        bits = WEIGHT_BITS.get(mode, 8)
        if (name, bits) not in ready.rounded:
            ready.rounded[name, bits] = _round(ready, name, weights, bits)
        codes, corrected = ready.rounded[name, bits]
        if corrected.bias is None or weights.bias is None:
            return Layer(mode, corrected, codes)
        return Layer(mode, corrected, codes, corrected.bias - weights.bias)
    if mode is Mode.WIDE:
        target = next((o for o, i in placement.absorbed.items() if i == name), name)
        unit = codes[target].scale if target in codes else 1.0
        return Layer(mode, weights, wide_weights(weights, codes[node.input[0]], unit))
    return Layer(mode, weights, None)


def _round(ready: Calibrated, name: str, weights: LayerWeights, bits: int) -> tuple[Codes, LayerWeights]:
    """Integer codes of one layer, and its parameters with the bias corrected for them."""
    input_scale, limit = ready.input_scales.get(name), largest_code(bits)
    finest = 0.0 if input_scale is None else smallest_scale(weights, input_scale)
    moments = ready.moments.get(name)
    if ready.recipe.rounding == "output" and moments is not None:
        centred = weights.bias is not None and ready.recipe.correct_bias
        codes = round_to_output(
            weights.weight, moments.second(centred=centred), finest, limit, ready.recipe.damping
        )
    else:
        codes = nearest(weights.weight, finest, limit)
    if not ready.recipe.correct_bias or weights.bias is None or moments is None:
        return codes, weights
    shift = bias_shift(weights.weight - codes.real, moments)
    return codes, dataclasses.replace(weights, bias=weights.bias + shift)


def _with_same_codes(placement: Placement, codes: Mapping[str, Code]) -> dict[str, Code]:
    return {name: codes[placement.same_code.get(name, name)] for name in placement.coded}


def _told(items: Iterable[_Item], step: str, progress: Progress) -> Iterator[_Item]:
    total = len(items) if isinstance(items, Sized) else 0
    for done, item in enumerate(items):
        progress(step, done, total)
        yield item
    progress(step, total, total)


def _report(made: onnx.ModelProto, node: onnx.NodeProto, layer: Layer) -> LayerReport:
    name = node.output[0]
    prefix = f"{name}."
    size = sum(t.ByteSize() for t in made.graph.initializer if t.name.startswith(prefix))
    return LayerReport(name, node.op_type, tuple(layer.weights.weight.shape), layer.mode, size)


def _reduce_tables(made: onnx.ModelProto, mode: Mode) -> list[LayerReport]:
    """Lookup tables become as small as the layers are; this changes ``made``."""
    if mode is Mode.FLOAT:
        return []
    stored, found = (Mode.HALF if mode is Mode.HALF else Mode.WEIGHT8), tables(made)
    sizes = reduce_tables(made, half=mode is Mode.HALF)
    return [LayerReport(table.name, "Gather", table.shape, stored, sizes[table.name]) for table in found]


def _reduce_recurrent(made: onnx.ModelProto, recipe: Recipe) -> list[LayerReport]:
    """Recurrent layers store their weights as small as the layers are, and compute in float; this changes ``made``."""
    if recipe.mode is Mode.FLOAT:
        return []
    whole = recipe.mode is Mode.HALF
    names = [node.output[0] for node in recurrent(made)]
    half = {name for name in names if whole or name in recipe.half}
    sizes = reduce_recurrent(made, half)
    kinds = {node.output[0]: node.op_type for node in made.graph.node}
    return [
        LayerReport(name, kinds[name], (), Mode.HALF if name in half else Mode.WEIGHT8, sizes[name])
        for name in names
    ]


def _check_names(model: onnx.ModelProto, recipe: Recipe) -> None:
    known = [node.output[0] for node in (*layers(model), *recurrent(model))]
    for name in (*recipe.wide, *recipe.weight8, *recipe.half, *dict(recipe.modes)):
        if name not in known:
            raise ModelError(
                f"recipe {recipe.name}: no layer {name!r} in the graph",
                f"layers: {', '.join(known[:8])}, ...",
            )
