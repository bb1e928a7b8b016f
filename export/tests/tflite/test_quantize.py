from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.from_torch import export_torch
from edgekit_export.convert.normalize import normalize
from edgekit_export.convert.session import session_of
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.quantize.placement import Mode, layers
from edgekit_export.quantize.weights import with_scale
from edgekit_export.tflite.flatbuffer import read_tflite
from edgekit_export.tflite.layers import tflite_layers
from edgekit_export.tflite.match import match_layers
from edgekit_export.tflite.packed import bytes_of
from edgekit_export.tflite.quantize import quantize_tflite
from edgekit_export.tflite.tap import TfliteTap, session_of_tflite
from export.tests.quantize.networks import pictures
from export.tests.tflite.conftest import SIZE, convert, patches

IMAGENET = Picture((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), SIZE, SIZE)


def scores(session, feeds):
    return np.concatenate([session.run(feed)[0] for feed in feeds])


def reduced(twins, recipe):
    feeds = () if recipe.mode is Mode.HALF else twins.feeds
    made = quantize(twins.full, feeds, recipe)
    return made, quantize_tflite(twins.data, made.written, recipe, feeds)


@pytest.fixture
def reference(twins):
    return scores(session_of(twins.full), twins.feeds)


@pytest.mark.parametrize(
    ("recipe", "name", "least_db", "kinds"),
    [
        (Recipe(), "static_wi8_ai8", 28, {"static_wi8_ai8", "weight_only_wi8_afp32"}),
        (Recipe(mode=Mode.WEIGHT8), "weight_only_wi8_afp32", 36, {"weight_only_wi8_afp32"}),
        (HALF_WEIGHTS, "weight_only_wfp16", 60, {"weight_only_wfp16"}),
        (Recipe(tflite="dynamic_wi8_afp32"), "dynamic_wi8_afp32", 24, {"dynamic_wi8_afp32"}),
        (Recipe(tflite="static_wi8_ai8"), "static_wi8_ai8", 28, {"static_wi8_ai8", "weight_only_wi8_afp32"}),
    ],
)
def test_each_recipe_keeps_the_scores(twins, reference, recipe, name, least_db, kinds):
    _, found = reduced(twins, recipe)
    assert found.recipe == name
    assert set(found.report) == kinds
    assert sum(entry["layers"] for entry in found.report.values()) == 6
    assert sqnr_db(reference, scores(session_of_tflite(found.data), twins.feeds)) > least_db


def test_int8_is_as_near_as_onnx_int8(twins, reference):
    made, found = reduced(twins, Recipe())
    onnx_db = sqnr_db(reference, scores(session_of(made.model), twins.feeds))
    tflite_db = sqnr_db(reference, scores(session_of_tflite(found.data), twins.feeds))
    assert tflite_db > onnx_db - 2


def test_codes_and_biases_are_those_of_the_onnx_graph(twins):
    made, found = reduced(twins, Recipe())
    matched = match_layers(read_tflite(twins.data, "full"), {n: w.weights for n, w in made.written.items()})
    graph = read_tflite(found.data, "int8")
    checked = 0
    for layer in tflite_layers(graph):
        known = made.written[matched[layer.name]]
        codes = layer.to_onnx(graph.constant(layer.weight))
        np.testing.assert_array_equal(codes.reshape(known.codes.codes.shape), known.codes.codes)
        np.testing.assert_array_equal(graph.scale(layer.weight), known.codes.scale)
        bias = graph.constant(layer.bias)
        step = graph.scale(layer.bias) if bias.dtype == np.int32 else np.float32(1e-6)
        real = bias * step if bias.dtype == np.int32 else bias
        assert (np.abs(real.reshape(-1) - known.weights.bias) <= step).all()
        checked += 1
    assert checked == 6


@pytest.mark.parametrize(("mode", "least_db"), [(Mode.INT8, 51), (Mode.WEIGHT8, 58)])
def test_a_mean_that_onnx_folds_into_the_bias(mode, least_db):
    """It does without padding, and TFLite does not. ONNX's bias in TFLite gave 5 and 1 dB, its correction 48."""
    network, feeds = patches(), pictures(24)
    full = normalize(export_torch(network, (1, 3, SIZE, SIZE), output_name="scores"), IMAGENET)
    data = convert(network, picture=IMAGENET)
    made = quantize(full, feeds, Recipe(mode=mode))
    found = quantize_tflite(data, made.written, Recipe(mode=mode), feeds)
    reference = scores(session_of(full), feeds)
    assert sqnr_db(reference, scores(session_of_tflite(data), feeds)) > 100
    assert sqnr_db(reference, scores(session_of_tflite(found.data), feeds)) > least_db


def test_a_bias_that_onnx_adds_after_the_product():
    """Of a linear layer of several rows ONNX makes a MatMul and an Add; the int32 bias takes the codes' scale."""
    torch = pytest.importorskip("torch")

    class Rows(torch.nn.Module):
        def forward(self, x):
            return x.flatten(2).transpose(1, 2)

    class Map(torch.nn.Module):
        def forward(self, x):
            return x.transpose(1, 2).unflatten(2, (4, 4))

    network, feeds = patches(), pictures(24)
    rows = torch.nn.Linear(8, 16)
    rows.load_state_dict({"weight": network.hidden.weight.flatten(1), "bias": network.hidden.bias})
    network.hidden = torch.nn.Sequential(Rows(), rows, Map())
    full = normalize(export_torch(network, (1, 3, SIZE, SIZE), output_name="scores"), IMAGENET)
    data = convert(network, picture=IMAGENET)
    written = dict(quantize(full, feeds, Recipe()).written)
    known = written["matmul0"]
    finer = with_scale(known.weights.weight, known.codes.scale * np.float32(0.8))
    written["matmul0"] = replace(known, codes=finer)
    graph = read_tflite(quantize_tflite(data, written, Recipe(), feeds).data, "int8")
    layer = next(layer for layer in tflite_layers(graph) if layer.kind == "FULLY_CONNECTED")
    step = graph.scale(layer.bias)
    np.testing.assert_allclose(step, graph.scale(layer.source)[0] * finer.scale, rtol=1e-6)
    real = graph.constant(layer.bias).reshape(-1) * step
    assert (np.abs(real - rows.bias.detach().numpy()) <= 0.51 * step).all()


def matrices_in(twins, mode):
    """All in int8, but the layers behind the first two, which multiply each position by one matrix."""
    names = [layer.output[0] for layer in layers(twins.full)]
    return Recipe(mode=Mode.WEIGHT8, modes=tuple((name, Mode(mode)) for name in names[2:]))


@pytest.mark.parametrize("bits", [4, 5, 6, 7, 9, 12, 14, 16])
def test_packed_weights_are_those_of_the_onnx_graph(twins, bits):
    made, found = reduced(twins, matrices_in(twins, f"weight{bits}"))
    wanted = scores(session_of(made.model), twins.feeds)
    largest = np.abs(wanted).max()
    assert np.abs(scores(session_of_tflite(found.data), twins.feeds) - wanted).max() < 1e-4 * largest
    if bits == 7:
        assert found.report == {"weight_only_wi8_afp32": {"layers": 6, "bytes": 880}}
        return
    weights = [layer.weights.weight.shape for layer in made.written.values()][2:]
    stored = sum(bytes_of(shape, bits) - 4 * shape[0] for shape in weights)
    assert found.recipe == "weight_only_packed_afp32"
    assert found.report[found.recipe] == {"layers": 4, "bytes": stored}


def test_packed_weights_are_unpacked_to_the_bit(twins):
    made, found = reduced(twins, matrices_in(twins, "weight10"))
    matched = match_layers(read_tflite(twins.data, "full"), {n: w.weights for n, w in made.written.items()})
    graph = read_tflite(found.data, "packed")
    tensors = [i for i in range(len(graph.main.tensors)) if graph.name(i).endswith(".w")]
    (values,) = TfliteTap(found.data, tensors).over(twins.feeds[:1])
    assert len(values) == 4
    for name, weight in values.items():
        codes = made.written[matched[name.removesuffix(".w")]].codes
        real = codes.codes.astype(np.float32).reshape(len(codes.scale), -1) * codes.scale[:, None]
        np.testing.assert_array_equal(weight.T, real)


def test_a_layer_over_pixels_has_int8_for_few_bits_and_float16_for_many(twins):
    names = [layer.output[0] for layer in layers(twins.full)]
    modes = ((names[0], Mode.WEIGHT16), (names[1], Mode.WEIGHT4))
    made, found = reduced(twins, Recipe(mode=Mode.WEIGHT8, modes=modes))
    graph = read_tflite(found.data, "mixed")
    stem, depthwise, *_ = tflite_layers(graph)
    assert str(graph.constant(stem.weight).dtype) == "float16"
    codes = depthwise.to_onnx(graph.constant(depthwise.weight))
    np.testing.assert_array_equal(codes, made.written[names[1]].codes.codes)
    assert np.abs(codes).max() == 7
    wanted = scores(session_of(made.model), twins.feeds)
    assert sqnr_db(wanted, scores(session_of_tflite(found.data), twins.feeds)) > 60


def test_wide_layers_are_floats(twins):
    wide = Recipe(wide=("conv0", "conv1"))
    _, found = reduced(twins, wide)
    assert found.report["float"]["layers"] == 2
    graph = read_tflite(found.data, "wide")
    kinds = [graph.constant(layer.weight).dtype for layer in tflite_layers(graph)]
    assert [str(kind) for kind in kinds] == ["float32", "float32", "int8", "int8", "int8", "int8"]


def test_the_same_inputs_give_the_same_bytes_and_no_noise(twins, capfd):
    first, second = (reduced(twins, Recipe())[1].data for _ in range(2))
    assert first == second
    assert [line for line in capfd.readouterr().err.splitlines() if "XNNPACK" not in line] == []
