import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgekit.errors import ModelError
from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.normalize import normalize
from edgekit_export.convert.session import session_of
from edgekit_export.convert.shapes import read_shapes
from export.tests.convert.graphs import constants_of, difference, model_of, node, noise, ops, run

X = noise(1, 3, 8, 8)


def messy(opset=11):
    """As exporters write: Constant nodes, Identity, batch norm, a spelt-out hard-swish, dead ends, long names."""
    lift = "exporter.constant"
    nodes = [
        node("Constant", [], [f"{lift}.3"], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [3.0])),
        node("Constant", [], [f"{lift}.0"], value=helper.make_tensor("v", TensorProto.FLOAT, [], [0.0])),
        node("Constant", [], [f"{lift}.6"], value=helper.make_tensor("v", TensorProto.FLOAT, [], [6.0])),
        node(
            "Constant", [], [f"{lift}.6.again"], value=helper.make_tensor("v", TensorProto.FLOAT, [], [6.0])
        ),
        node("Identity", ["stored weight"], ["weight"]),
        node(
            "Conv", ["x", "weight"], ["conv"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1], group=1
        ),
        node("BatchNormalization", ["conv", "gamma", "beta", "mean", "variance"], ["norm"], epsilon=1e-3),
        node("Add", ["norm", f"{lift}.3"], ["shifted"]),
        node("Clip", ["shifted", f"{lift}.0", f"{lift}.6"], ["clipped"]),
        node("Mul", ["norm", "clipped"], ["product"]),
        node("Div", ["product", f"{lift}.6.again"], ["swish"]),
        node("Exp", ["swish"], ["nobody reads this"]),
        node("Dropout", ["swish"], ["dropped"]),
        node("GlobalAveragePool", ["dropped"], ["pooled"]),
        node("Flatten", ["pooled"], ["flat"]),
        node("Gemm", ["flat", "matrix"], ["logits"]),
        node("Div", ["logits", "four"], ["cooled"]),
        node("Identity", ["cooled"], ["scores"]),
    ]
    constants = {
        "stored weight": noise(4, 3, 3, 3, seed=1, scale=0.3),
        "gamma": noise(4, seed=2),
        "beta": noise(4, seed=3),
        "mean": noise(4, seed=4),
        "variance": np.abs(noise(4, seed=5)) + 0.1,
        "matrix": noise(4, 5, seed=6),
        "four": np.float32(4),
    }
    return model_of(
        nodes, {"x": ["batch", 3, "h", "w"]}, {"scores": ["batch", 5]}, constants, opset=opset, ir_version=6
    )


@pytest.mark.parametrize("opset", [11, 12, 13, 17, 18])
def test_the_normal_form(opset):
    before = messy(opset)
    kept = before.SerializeToString(deterministic=True)
    after = normalize(before)
    assert difference(before, after, {"x": X}) < 2e-6
    assert ops(after) == {
        "Conv": 1,
        "HardSigmoid": 1,
        "Mul": 2,
        "GlobalAveragePool": 1,
        "Flatten": 1,
        "Gemm": 1,
    }
    assert [n.op_type for n in after.graph.node][:3] == ["Conv", "HardSigmoid", "Mul"]
    assert list(constants_of(after)) and sorted(constants_of(after)) == [
        "conv0.b",
        "conv0.w",
        "gemm0.w",
        "scores.c1",
    ]
    assert [v.name for v in after.graph.output] == ["scores"]
    assert [(o.domain, o.version) for o in after.opset_import] == [("", 18)]
    assert after.ir_version == 8
    assert [a.name for a in after.graph.node[0].attribute] == ["pads"]
    assert len(after.SerializeToString()) < len(kept)
    assert before.SerializeToString(deterministic=True) == kept  # the caller's model is not changed
    onnx.checker.check_model(after, full_check=True)


def test_a_normal_form_stays_as_it_is():
    once = normalize(messy())
    assert normalize(once).SerializeToString(deterministic=True) == once.SerializeToString(deterministic=True)


def test_a_picture_folded_in_and_a_fixed_batch():
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    after = normalize(messy(), Picture(mean, std, 8, 8), {"x": (1, 3, 8, 8)})
    pixels = np.random.default_rng(3).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    normal = ((pixels.astype(np.float64) - mean) / std).astype(np.float32).transpose(0, 3, 1, 2)
    wanted = run(messy(), {"x": np.ascontiguousarray(normal)})[0]
    assert np.abs(wanted - run(after, {"image": pixels})[0]).max() < 5e-6
    assert [n.op_type for n in after.graph.node][:4] == [
        "Transpose",
        "Cast",
        "Sub",
        "Conv",
    ]  # 1 / std is in the weights
    shapes = read_shapes(after)
    assert shapes["image"] == (1, 8, 8, 3)
    assert shapes["conv0"] == (1, 4, 8, 8)
    assert shapes["scores"] == (1, 5)


def test_every_side_that_a_dynamic_picture_may_have():
    after = normalize(messy(), Picture((0.0,) * 3, (255.0,) * 3, "height", "width"))
    session = session_of(after, threads=1)
    for sides in ((8, 8), (5, 12), (31, 3)):
        pixels = np.random.default_rng(3).integers(0, 256, (1, *sides, 3), dtype=np.uint8)
        normal = np.ascontiguousarray((pixels / np.float32(255)).astype(np.float32).transpose(0, 3, 1, 2))
        wanted = run(messy(), {"x": normal})[0]
        assert np.abs(wanted - session.run({"image": pixels})[0]).max() < 5e-6


def test_the_default_domains_other_name():
    model = messy(17)
    model.opset_import[0].domain = "ai.onnx"
    after = normalize(model)
    assert [(o.domain, o.version) for o in after.opset_import] == [("", 18)]
    assert difference(messy(17), after, {"x": X}) < 2e-6


def test_weights_listed_as_inputs():
    model = messy()
    for tensor in list(model.graph.initializer):
        model.graph.input.append(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
        )
    model.ir_version = 3
    assert difference(messy(), normalize(model), {"x": X}) < 2e-6


def test_control_flow_is_refused():
    branch = helper.make_graph(
        [node("Relu", ["x"], ["r"])], "b", [], [helper.make_tensor_value_info("r", 1, [2])]
    )
    nodes = [node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch)]
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    model = model_of(nodes, {"x": [2], "flag": flag}, {"y": [2]})
    with pytest.raises(ModelError, match="operator If with a subgraph is not supported"):
        normalize(model)


def test_functions_are_refused():
    model = model_of([node("Relu", ["x"], ["y"])], {"x": [2]}, {"y": [2]})
    model.functions.append(
        helper.make_function(
            "mine", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 18)]
        )
    )
    with pytest.raises(ModelError, match="model-local function Twice is not supported"):
        normalize(model)


def test_an_input_shape_for_nothing():
    with pytest.raises(ModelError, match="no input 'image'"):
        normalize(messy(), input_shapes={"image": (1, 3, 8, 8)})
