import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit.evaluation.origin import Stages, Step
from edgekit_export.lint import lint
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.recipe import DYNAMIC_INT8
from edgekit_export.target import AVX2, PI4, PI5, TARGETS, X86
from export.tests.convert.graphs import model_of, node
from export.tests.quantize.networks import attending, gated, pictures, residual

SHAPE = [1, 8, 6, 6]


def said(model, target=PI4, stages=None):
    return {warning.rule: warning for warning in lint(model, target, stages)}


def typed(name, kind):
    return helper.make_tensor_value_info(name, kind, SHAPE)


def coded(weight, kind=np.uint8, ceiling=None, bias_scale=0.0002):
    """Codes → convolution, cut at ``ceiling`` → codes up to 5.1."""
    width = len(weight)
    constants = {
        "xs": np.float32(0.02),
        "xz": kind(3),
        "ws": np.full(width, 0.01, np.float32),
        "wz": np.zeros(width, np.int8),
        "w": weight.astype(np.int8),
        "bs": np.full(width, bias_scale, np.float32),
        "b": np.zeros(width, np.int32),
        "ys": np.float32(0.02),
        "zero": np.float32(0),
        "top": np.float32(ceiling or 0),
    }
    nodes = [
        node("DequantizeLinear", ["x", "xs", "xz"], ["xd"]),
        node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
        node("DequantizeLinear", ["b", "bs"], ["bd"], axis=0),
        node("Conv", ["xd", "wd", "bd"], ["c"]),
        *([node("Clip", ["c", "zero", "top"], ["k"])] if ceiling else []),
        node("QuantizeLinear", ["k" if ceiling else "c", "ys", "xz"], ["y"]),
    ]
    whole = {np.uint8: TensorProto.UINT8, np.int8: TensorProto.INT8}[kind]
    return model_of(nodes, {"x": typed("x", whole)}, {"y": typed("y", whole)}, constants)


WEIGHT = np.full((8, 8, 1, 1), 64)
RECIPES = [
    Recipe(),
    Recipe(wide=("conv0", "conv1")),
    Recipe(mode=Mode.WEIGHT8),
    Recipe(mode=Mode.WEIGHT10),
    HALF_WEIGHTS,
]


@pytest.mark.parametrize("target", [PI4, PI5, X86], ids=lambda target: target.name)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe.name} {recipe.mode} {recipe.wide}")
def test_own_recipes_are_clean(recipe, target):
    assert lint(quantize(residual(), pictures(3), recipe).model, target) == ()


@pytest.mark.parametrize("target", [PI4, PI5, X86], ids=lambda target: target.name)
def test_own_gates_and_attention_are_clean(target):
    assert lint(quantize(gated(), pictures(3, (8, 32)), Recipe()).model, target) == ()
    assert lint(quantize(attending(), (), DYNAMIC_INT8).model, target) == ()


def test_full_precision_is_clean():
    for target in TARGETS.values():
        assert lint(residual(), target) == ()


def test_a_ceiling_that_the_codes_do_not_have_keeps_a_convolution_in_float():
    assert said(coded(WEIGHT)) == {}
    warning = said(coded(WEIGHT, ceiling=1.0))["unfused-qdq"]
    assert (warning.where, warning.count) == (("c",), 1)


def test_sum_of_codes_of_two_types():
    constants = {"s": np.float32(0.02), "u": np.uint8(0), "i": np.int8(0)}
    nodes = [
        node("DequantizeLinear", ["a", "s", "u"], ["ad"]),
        node("DequantizeLinear", ["b", "s", "i"], ["bd"]),
        node("Add", ["ad", "bd"], ["sum"]),
        node("QuantizeLinear", ["sum", "s", "u"], ["y"]),
    ]
    inputs = {"a": typed("a", TensorProto.UINT8), "b": typed("b", TensorProto.INT8)}
    model = model_of(nodes, inputs, {"y": typed("y", TensorProto.UINT8)}, constants)
    assert said(model)["unfused-qdq"].where == ("sum",)


def test_float_between_codes_is_fine_where_no_integer_kernel_exists():
    constants = {"s": np.float32(0.02), "u": np.uint8(0), "axes": np.asarray([2, 3])}
    nodes = [
        node("DequantizeLinear", ["x", "s", "u"], ["xd"]),
        node("ReduceMean", ["xd", "axes"], ["m"], keepdims=0),
        node("QuantizeLinear", ["m", "s", "u"], ["y"]),
    ]
    value = helper.make_tensor_value_info("y", TensorProto.UINT8, [1, 8])
    assert said(model_of(nodes, {"x": typed("x", TensorProto.UINT8)}, {"y": value}, constants)) == {}


def test_weights_that_are_expanded_at_every_run():
    constants = {"w": WEIGHT.astype(np.int8), "ws": np.float32(0.01), "wz": np.int8(0)}
    nodes = [
        node("DequantizeLinear", ["w", "ws", "wz"], ["wd"]),
        node("Conv", ["x", "wd"], ["y"]),
    ]
    model = model_of(nodes, {"x": SHAPE}, {"y": SHAPE}, constants)
    warning = said(model)["weights-expanded-each-run"]
    assert (warning.where, warning.count) == (("wd",), 1)
    assert "Cast and Mul" in warning.remedy


def test_dynamic_convolution():
    constants = {"w": WEIGHT.astype(np.int8), "s": np.float32(0.01)}
    nodes = [
        node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"]),
        node("ConvInteger", ["q", "w", "qz"], ["sum"]),
        node("Cast", ["sum"], ["f"], to=TensorProto.FLOAT),
        node("Mul", ["qs", "s"], ["unit"]),
        node("Mul", ["f", "unit"], ["y"]),
    ]
    model = model_of(nodes, {"x": SHAPE}, {"y": SHAPE}, constants)
    assert list(said(model)) == ["dynamic-convolution"]
    assert said(model)["dynamic-convolution"].where == ("sum",)


@pytest.mark.parametrize(("target", "slow"), [(PI4, True), (PI5, False), (X86, True), (AVX2, True)])
def test_s8s8(target, slow):
    """As the optimiser leaves it on x86, in float; on ARM it fuses it."""
    found = said(coded(WEIGHT, np.int8), target)
    assert set(found) == ({"slow-s8s8"} if slow else set())
    assert set(said(fused_s8s8(), target)) == set(found)


def fused_s8s8():
    constants = {"s": np.float32(0.02), "z": np.int8(0), "w": WEIGHT.astype(np.int8)}
    conv = node("QLinearConv", ["x", "s", "z", "w", "s", "z", "s", "z"], ["y"])
    return model_of(
        [conv], {"x": typed("x", TensorProto.INT8)}, {"y": typed("y", TensorProto.INT8)}, constants
    )


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize(("largest", "loses"), [(64, False), (-65, True), (127, True)])
def test_saturation(target, largest, loses):
    found = said(
        coded(np.where(np.arange(8).reshape(-1, 1, 1, 1) == 3, largest, 1) * np.ones((1, 8, 1, 1))), target
    )
    assert set(found) == ({"saturating-u8s8"} if loses and target is AVX2 else set())


def nbits(**attributes):
    packed = np.zeros((8, 1, 16), np.uint8)
    made = helper.make_node(
        "MatMulNBits",
        ["x", "w", "s"],
        ["y"],
        domain="com.microsoft",
        K=32,
        N=8,
        bits=4,
        block_size=32,
        **attributes,
    )
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [2, 32]), ("y", [2, 8]))
    ]
    constants = [numpy_helper.from_array(packed, "w"), numpy_helper.from_array(np.ones(8, np.float32), "s")]
    graph = helper.make_graph([made], "test", values[:1], values[1:], constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


@pytest.mark.parametrize(
    ("attributes", "warned"), [({}, True), ({"accuracy_level": 0}, True), ({"accuracy_level": 4}, False)]
)
def test_accuracy_level(attributes, warned):
    assert set(said(nbits(**attributes))) == ({"missing-accuracy-level"} if warned else set())


def stages(optimizer_db, plain_db):
    step = Step(0.0, None)
    reduction = {"all": step, "none": Step(0.1, plain_db)}
    return Stages(
        samples=1, export={"all": step, "none": step}, reduction=reduction, optimizer=Step(0.1, optimizer_db)
    )


@pytest.mark.parametrize(
    ("optimizer_db", "plain_db", "warned"),
    [
        (7.5, 25.0, True),
        (31.4, 27.2, False),
        (27.1, 27.2, True),
        (120.0, 140.0, False),
        (59.9, None, True),
        (60.0, None, False),
        (None, None, False),
        (None, 20.0, False),
    ],
)
def test_what_the_optimiser_changes(optimizer_db, plain_db, warned):
    found = said(residual(), stages=stages(optimizer_db, plain_db))
    assert set(found) == ({"optimiser-changes-result"} if warned else set())


def test_the_first_few_are_named_and_all_counted():
    reduced = quantize(residual(), pictures(3), Recipe()).model
    warning = said(reduced, AVX2)["saturating-u8s8"]
    assert warning.where == ("conv0", "conv1", "conv2", "conv3")
    assert warning.count == 5


def test_the_model_is_not_changed():
    model = quantize(residual(), pictures(3), Recipe()).model
    before = model.SerializeToString()
    lint(model, PI4)
    assert model.SerializeToString() == before
