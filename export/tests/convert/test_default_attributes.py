import numpy as np
import pytest

from edgekit_export.convert.default_attributes import drop_default_attributes
from export.tests.convert.graphs import copy_of, difference, model_of, node, noise

X = noise(1, 4, 6, 6)
CONSTANTS = {"w": noise(4, 2, 3, 3, seed=1), "m": noise(36, 6, seed=2)}


def left(op, inputs, attributes, shape=(None,) * 4, opset=18):
    before = model_of(
        [node(op, inputs, ["y"], **attributes)], {"x": X.shape}, {"y": shape}, CONSTANTS, opset=opset
    )
    after = copy_of(before)
    drop_default_attributes(after)
    assert difference(before, after, {"x": X}) == 0
    return [a.name for a in after.graph.node[0].attribute]


@pytest.mark.parametrize(
    ("attributes", "names"),
    [
        ({"kernel_shape": [3, 3], "group": 2}, ["group"]),
        ({"strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0], "group": 2}, ["group"]),
        (
            {"strides": [1, 2], "dilations": [2, 1], "pads": [0, 0, 0, 1], "group": 2},
            ["dilations", "group", "pads", "strides"],
        ),
        ({"auto_pad": "NOTSET", "group": 2}, ["group"]),
        ({"auto_pad": "SAME_UPPER", "group": 2}, ["auto_pad", "group"]),
    ],
)
def test_convolutions(attributes, names):
    assert left("Conv", ["x", "w"], attributes) == names


def test_transposed_convolutions():
    attributes = {"output_padding": [0, 0], "strides": [2, 2], "kernel_shape": [3, 3], "group": 1}
    assert left("ConvTranspose", ["x", "w"], attributes) == ["strides"]


@pytest.mark.parametrize(
    ("op", "attributes", "names"),
    [
        ("LeakyRelu", {"alpha": 0.01}, []),
        ("LeakyRelu", {"alpha": 0.02}, ["alpha"]),
        ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}, []),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [1, 1], "ceil_mode": 0}, ["kernel_shape", "strides"]),
        (
            "AveragePool",
            {"kernel_shape": [2, 2], "pads": [0, 1, 0, 0], "count_include_pad": 1},
            ["count_include_pad", "kernel_shape", "pads"],
        ),
        ("Softmax", {"axis": -1}, []),
        ("Softmax", {"axis": 1}, ["axis"]),
        ("Transpose", {"perm": [0, 3, 1, 2]}, ["perm"]),
    ],
)
def test_others(op, attributes, names):
    assert left(op, ["x"], attributes) == names


@pytest.mark.parametrize(("opset", "names"), [(12, ["axis"]), (13, [])])
def test_the_default_is_the_opsets_own(opset, names):
    assert left("Softmax", ["x"], {"axis": -1}, opset=opset) == names


def test_attributes_come_in_one_order():
    models = []
    for names in (["pads", "group", "strides"], ["strides", "pads", "group"]):
        values = {"pads": [1, 1, 1, 1], "group": 2, "strides": [2, 2]}
        conv = node("Conv", ["x", "w"], ["y"])
        for name in names:
            conv.attribute.append(node("Conv", [], [], **{name: values[name]}).attribute[0])
        model = model_of([conv], {"x": X.shape}, {"y": (None,) * 4}, CONSTANTS)
        drop_default_attributes(model)
        models.append(model.SerializeToString(deterministic=True))
    assert models[0] == models[1]


def test_foreign_operators_keep_theirs():
    model = model_of([node("Relu", ["x"], ["y"])], {"x": [1]}, {"y": [1]})
    model.graph.node[0].domain = "com.example"
    model.graph.node[0].attribute.append(node("LeakyRelu", [], [], alpha=0.01).attribute[0])
    drop_default_attributes(model)
    assert len(model.graph.node[0].attribute) == 1
    assert np.isclose(model.graph.node[0].attribute[0].f, 0.01)
