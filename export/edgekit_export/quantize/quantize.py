"""From a float graph and calibration data to a quantised graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import onnx

from edgekit.errors import ModelError
from edgekit_export.convert.graph import GraphView
from edgekit_export.quantize.calibrate import calibrate, choose_codes, with_same_codes
from edgekit_export.quantize.calibrated import Calibrated
from edgekit_export.quantize.covariance import bias_shift
from edgekit_export.quantize.exact import is_exact
from edgekit_export.quantize.integer import largest_code
from edgekit_export.quantize.modes import modes_of
from edgekit_export.quantize.placement import WEIGHT_BITS, Mode, Placement, layers, place
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.quantize.recurrent import recurrent, reduce_recurrent
from edgekit_export.quantize.round_weights import round_to_output
from edgekit_export.quantize.sensitivity import sensitivity
from edgekit_export.quantize.tables import reduce_tables, tables
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.thinned import Thinned
from edgekit_export.quantize.weights import Codes, LayerWeights, nearest, read_weights, smallest_scale
from edgekit_export.quantize.wide import wide_weights
from edgekit_export.quantize.write_qdq import Code, Layer, write_qdq


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


def build(ready: Calibrated, modes: Mapping[str, Mode], progress: Progress = silent) -> Quantized:
    """The quantised graph for a choice of modes."""
    placement = place(ready.model, modes)
    codes = choose_codes(ready, placement)
    every = with_same_codes(placement, codes)
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
