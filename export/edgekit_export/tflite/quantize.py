"""Float TFLite graph → int8 or float16, by ai-edge-quantizer with our ranges and our rounded weights.

The quantizer places codes; the ranges come from :mod:`edgekit_export.quantize.ranges` over one pass of the calibration
data (its own calibration is a moving average, which disagrees with full precision on a quarter of all pictures), and
weights and biases are those that the ONNX quantiser has rounded for least error of each layer's output.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.errors import ModelError
from edgekit.types import Array
from edgekit_export.quantize.observe import Histogram
from edgekit_export.quantize.placement import WEIGHT_BITS, Mode
from edgekit_export.quantize.ranges import choose_range
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.weights import Codes
from edgekit_export.quantize.write_qdq import Layer
from edgekit_export.silence import silence
from edgekit_export.tflite.bias import corrected_bias
from edgekit_export.tflite.converter import require_converter
from edgekit_export.tflite.drop_unread import drop_unread
from edgekit_export.tflite.flatbuffer import Graph, read_tflite, write_tflite
from edgekit_export.tflite.layers import TfliteLayer, is_matrix, tflite_layers
from edgekit_export.tflite.match import match_layers
from edgekit_export.tflite.packed import write_packed
from edgekit_export.tflite.placement import Kind, TflitePlacement, kind_of, place_tflite
from edgekit_export.tflite.tap import TfliteTap

Advance = Callable[[], None]


@dataclass(frozen=True, slots=True, eq=False)
class TfliteReduced:
    """A reduced TFLite graph.

    Attributes:
        data: the file.
        recipe: as ai-edge-quantizer names it: of most layers.
        report: kind → ``{"layers": how many, "bytes": of their weights}``.
    """

    data: bytes
    recipe: str
    report: Mapping[str, Any]


def quantize_tflite(
    data: bytes,
    written: Mapping[str, Layer],
    recipe: Recipe,
    feeds: Iterable[Batch],
    advance: Advance = lambda: None,
) -> TfliteReduced:
    """Reduces a float graph as the ONNX graph of the same network was.

    Args:
        data: float TFLite file, as :func:`edgekit_export.tflite.convert.convert_torch` gives it; one input.
        written: what the ONNX quantiser made of each layer, see :class:`edgekit_export.quantize.Quantized`.
        recipe: that made ``written``.
        feeds: calibration data; not read where no range is needed.
        advance: called after each of them.

    Raises:
        EnvironmentLacks: the quantizer is not installed.
        ModelError: the quantizer refuses the graph.
    """
    graph = read_tflite(data, "model.tflite")
    matched = match_layers(graph, {name: layer.weights for name, layer in written.items()})
    if recipe.tflite == "as_onnx":
        wanted = _wanted(graph, {name: written[known].mode for name, known in matched.items()})
        default = _main(kind_of(layer.mode, matrix=True) for layer in written.values())
    else:
        wanted, default = {}, Kind(recipe.tflite)
    placement = place_tflite(graph, wanted, Kind.WEIGHT_ONLY if default is Kind.PACKED else default)
    histograms = _observe(data, placement, feeds, advance)
    codes = {name: choose_range(histogram, recipe.ranges) for name, histogram in histograms.items()}
    made = _placed(data, placement, {name: (code.low, code.high) for name, code in codes.items()})
    reduced = read_tflite(made, "model.tflite")
    own = {layer.name: graph.constant(layer.bias) for layer in tflite_layers(graph) if layer.bias >= 0}
    packed = {}
    for layer in list(tflite_layers(reduced)):
        known = written.get(matched.get(layer.name, ""))
        if known is None or not isinstance(known.codes, Codes):
            continue
        if placement.kinds[layer.name] is Kind.PACKED:
            packed[layer.name] = _pack(reduced, layer, known, own.get(layer.name))
        else:
            _set_codes(reduced, layer, known, own.get(layer.name))
    drop_unread(reduced)
    return TfliteReduced(write_tflite(reduced), default.value, _report(reduced, placement, packed))


def _wanted(graph: Graph, modes: Mapping[str, Mode]) -> dict[str, Kind]:
    """Layer → kind, for the layers whose mode is known."""
    operators = {graph.name(int(operator.outputs[0])): operator for operator in graph.operators}
    return {name: kind_of(mode, matrix=is_matrix(graph, operators[name])) for name, mode in modes.items()}


def _main(kinds: Iterable[Kind]) -> Kind:
    """The kind of most layers that are not float."""
    found = [kind for kind in kinds if kind is not Kind.FLOAT]
    return max(sorted(set(found)), key=found.count, default=Kind.FLOAT)


def _observe(
    data: bytes, placement: TflitePlacement, feeds: Iterable[Batch], advance: Advance
) -> dict[str, Histogram]:
    """What the coded tensors are over the data."""
    if not placement.coded:
        return {}
    tap = TfliteTap(data, placement.coded)
    found = {name: Histogram() for name in tap.names}
    for values in tap.over(feeds):
        for name, array in values.items():
            found[name].add(array)
        advance()
    return found


def _placed(data: bytes, placement: TflitePlacement, ranges: Mapping[str, tuple[float, float]]) -> bytes:
    """The graph as the quantizer writes it, weights rounded to nearest."""
    require_converter()
    from ai_edge_quantizer import qtyping, quantizer

    made = quantizer.Quantizer(bytearray(data))
    everything = qtyping.TFLOperationName.ALL_SUPPORTED
    for name, kind in placement.kinds.items():
        scope = f"^{re.escape(name)};"
        if kind is Kind.STATIC:
            made.add_static_config(scope, everything, 8, 8)
        elif kind is Kind.WEIGHT_ONLY:
            made.add_weight_only_config(scope, everything, 8)
        elif kind is Kind.DYNAMIC:
            made.add_dynamic_config(scope, everything, 8)
        elif kind is Kind.HALF:
            _add_half(made, scope)
    _add_tables(made, set(placement.kinds.values()))
    if not made.get_quantization_recipe():
        return data
    statistics = {
        name: {"min": np.array([low], np.float32), "max": np.array([high], np.float32)}
        for name, (low, high) in ranges.items()
    }
    try:
        with silence(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = made.quantize(
                statistics or None, enable_progress_bar=False, enable_progress_report=False
            )
    except Exception as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
        raise ModelError(
            f"the TFLite quantizer cannot take this graph: {first}", "use --recipe fp16"
        ) from error
    return bytes(result.quantized_model)


def _add_tables(made: Any, kinds: set[Kind]) -> None:  # noqa: ANN401
    """Lookup tables become as small as the layers are; TFLite looks rows up in int8 and expands those alone."""
    from ai_edge_quantizer import qtyping

    if kinds & {Kind.DYNAMIC, Kind.WEIGHT_ONLY, Kind.PACKED, Kind.STATIC}:
        made.add_dynamic_config(".*", qtyping.TFLOperationName.EMBEDDING_LOOKUP, 8)


def _add_half(made: Any, scope: str) -> None:  # noqa: ANN401
    from ai_edge_quantizer import qtyping, quantizer

    weights = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=weights,
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    key = quantizer.AlgorithmName.FLOAT_CASTING
    made.update_quantization_recipe(scope, qtyping.TFLOperationName.ALL_SUPPORTED, config, key)


def _set_codes(graph: Graph, layer: TfliteLayer, known: Layer, own: Array | None) -> None:
    """Writes integer weight, scales and bias over what the quantizer rounded; ``own`` is the float bias."""
    stored, codes = graph.constant(layer.weight), known.codes
    assert stored is not None and isinstance(codes, Codes)
    if str(stored.dtype) != "int8" or len(graph.scale(layer.weight)) != len(codes.scale):
        return
    shape = layer.to_onnx(stored).shape
    graph.set_constant(layer.weight, layer.from_onnx(codes.codes.reshape(shape)).astype(np.int8))
    graph.set_scale(layer.weight, codes.scale)
    bias = None if layer.bias < 0 else graph.constant(layer.bias)
    if bias is None or own is None:
        return
    wanted = corrected_bias(known, own.reshape(-1))
    if str(bias.dtype) == "float32":
        graph.set_constant(layer.bias, wanted.astype(np.float32).reshape(bias.shape))
        return
    scale = graph.scale(layer.source)[0] * codes.scale
    whole: Array = np.rint(wanted / scale.astype(np.float64))
    graph.set_constant(layer.bias, np.clip(whole, -(2**31), 2**31 - 1).astype(np.int32).reshape(bias.shape))
    graph.set_scale(layer.bias, scale)


def _pack(graph: Graph, layer: TfliteLayer, known: Layer, own: Array | None) -> int:
    """Writes a packed weight and bias; ``own`` is the float bias. Returns bytes of the weight."""
    assert isinstance(known.codes, Codes)
    operator = next(op for op in graph.operators if graph.name(int(op.outputs[0])) == layer.name)
    bias = np.zeros(len(known.codes.scale)) if own is None else corrected_bias(known, own.reshape(-1))
    return write_packed(graph, operator, layer, known.codes, WEIGHT_BITS[known.mode], bias)


def _report(graph: Graph, placement: TflitePlacement, packed: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Kind → layers and bytes of their weights; ``packed`` has the bytes of those that are no constants now."""
    bytes_of = dict(packed)
    for layer in tflite_layers(graph):
        stored = graph.constant(layer.weight)
        assert stored is not None
        bytes_of.setdefault(layer.name, stored.nbytes)
    found: dict[str, dict[str, int]] = {}
    for name, kind in placement.kinds.items():
        if name in bytes_of:
            entry = found.setdefault(kind.value, {"layers": 0, "bytes": 0})
            entry["layers"] += 1
            entry["bytes"] += bytes_of[name]
    return found
