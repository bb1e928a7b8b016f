import numpy as np
import pytest

from edgekit_export.convert.graph import tensor_names
from edgekit_export.convert.shapes import infer_shapes, read_shapes
from edgekit_export.convert.shorten_names import drop_unused_opsets, shorten_names, strip_metadata
from export.tests.convert.graphs import constants_of, copy_of, difference, model_of, node, noise

X = noise(1, 3, 6, 6)
LONG = "p2o.helper.a.name.that.an.exporter.made.up"


def network(**names):
    """Two convolutions with ReLU and a linear layer; any tensor may be given another name."""
    n = {k: f"{LONG}.{k}" for k in ("w0", "b0", "c0", "r0", "w1", "c1", "p", "f", "m", "k")}
    n |= {"x": "x", "y": "y", **names}
    nodes = [
        node("Conv", [n["x"], n["w0"], n["b0"]], [n["c0"]], name=LONG),
        node("Relu", [n["c0"]], [n["r0"]]),
        node("Conv", [n["r0"], n["w1"]], [n["c1"]]),
        node("GlobalAveragePool", [n["c1"]], [n["p"]]),
        node("Reshape", [n["p"], n["k"]], [n["f"]]),
        node("MatMul", [n["f"], n["m"]], [n["y"]]),
    ]
    constants = {
        n["w0"]: noise(4, 3, 3, 3, seed=1),
        n["b0"]: noise(4, seed=2),
        n["w1"]: noise(5, 4, 1, 1, seed=3),
        n["m"]: noise(5, 2, seed=4),
        n["k"]: np.array([1, 5]),
    }
    return model_of(nodes, {n["x"]: X.shape}, {n["y"]: [1, 2]}, constants)


def shortened(before, feeds=None):
    after = copy_of(before)
    shorten_names(after)
    assert [v.name for v in after.graph.input] == [v.name for v in before.graph.input]
    assert [v.name for v in after.graph.output] == [v.name for v in before.graph.output]
    assert len(tensor_names(after)) == len(tensor_names(before))
    assert difference(before, after, feeds or {before.graph.input[0].name: X}) == 0
    return after


def test_names_say_what_a_tensor_is():
    after = shortened(network())
    assert [n.output[0] for n in after.graph.node] == [
        "conv0",
        "relu0",
        "conv1",
        "globalaveragepool0",
        "reshape0",
        "y",
    ]
    assert list(constants_of(after)) == ["conv0.w", "conv0.b", "conv1.w", "y.w", "reshape0.c1"]
    assert not any(n.name for n in after.graph.node)


def test_bytes_of_the_names_are_saved():
    before, after = network(), shortened(network())
    # ten tensors and a node's name, some written two or three times
    assert len(before.SerializeToString()) - len(after.SerializeToString()) > 20 * (len(LONG) - 10)


def test_it_settles():
    once = shortened(network())
    assert shortened(once).SerializeToString(deterministic=True) == once.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "names",
    [
        {"x": "conv0"},
        {"x": "relu0", "y": "conv1"},
        {"x": "conv0.w"},
        {"y": "conv0.w"},
        {"x": "conv0.b", "y": "conv1.w"},
        {"x": "reshape0.c1"},
        {"y": "conv0"},
        {"x": "y.w"},
        {"c0": "conv1", "c1": "conv0", "w0": "conv1.w", "w1": "conv0.w"},
    ],
)
def test_never_a_name_of_an_input_or_output(names):
    before = network(**names)
    shortened(before, {before.graph.input[0].name: X})


def test_two_constants_of_one_product():
    """Too large to fold, and both would be called a weight."""
    nodes = [node("MatMul", ["p", "q"], ["pq"]), node("Add", ["x", "pq"], ["y"])]
    before = model_of(nodes, {"x": [1]}, {"y": [2, 2]}, {"p": noise(2, 3), "q": noise(3, 2, seed=1)})
    shortened(before, {"x": noise(1)})


def test_a_shared_constant_keeps_one_name():
    nodes = [node("Add", ["x", "c"], ["a"]), node("Mul", ["a", "c"], ["y"])]
    after = shortened(model_of(nodes, {"x": [2]}, {"y": [2]}, {"c": [1.5]}), {"x": noise(2)})
    assert list(constants_of(after)) == ["add0.c1"]


def test_optional_inputs_and_outputs_stay_empty():
    nodes = [
        node("Clip", ["x", "", "high"], ["c"]),
        node("GRU", ["c", "w", "r"], ["", "state"], hidden_size=2),
        node("Relu", ["state"], ["y"]),
    ]
    constants = {"high": np.float32(1), "w": noise(1, 6, 3), "r": noise(1, 6, 2, seed=1)}
    before = model_of(nodes, {"x": [4, 1, 3]}, {"y": [1, 1, 2]}, constants)
    after = shortened(before, {"x": noise(4, 1, 3)})
    assert list(after.graph.node[0].input) == ["x", "", "clip0.c2"]
    assert list(after.graph.node[1].input) == ["clip0", "gru0.c1", "gru0.c2"]
    assert list(after.graph.node[1].output) == ["", "gru0"]


def test_an_unread_constant_keeps_its_name():
    model = network()
    model.graph.initializer.add(name="conv0.w", data_type=1, float_data=[1.0])
    shortened(model)


def test_a_constant_that_is_an_output():
    nodes = [node("Add", ["x", "c"], ["y"])]
    after = shortened(model_of(nodes, {"x": [2]}, {"y": [2], "c": [1]}, {"c": [1.5]}), {"x": noise(2)})
    assert list(constants_of(after)) == ["c"]


def test_inferred_shapes_follow_their_tensors():
    model = network()
    infer_shapes(model)
    shapes = [shape for name, shape in read_shapes(model).items() if name.startswith(LONG)]
    after = shortened(model)
    assert list(read_shapes(after).values()) == list(read_shapes(model).values())
    assert read_shapes(after)["conv1"] == (1, 5, 4, 4)
    assert len(shapes) == 10


def test_metadata_goes():
    model = network()
    bare = copy_of(model)
    strip_metadata(bare)
    model.producer_name, model.producer_version, model.domain, model.doc_string = "p", "1", "d", "text"
    model.model_version = 7
    model.metadata_props.add(key="character", value="a\nb")
    model.graph.name = LONG
    model.graph.doc_string = "text"
    model.graph.metadata_props.add(key="k", value="v")
    model.graph.node[0].doc_string = "File /home/someone/net.py, line 3"
    model.graph.node[0].metadata_props.add(key="namespace", value="v")
    model.graph.node[0].attribute.add(name="group", type=2, i=1, doc_string="text")
    model.graph.initializer[0].doc_string = "text"
    model.graph.input[0].doc_string = "text"
    model.graph.value_info.add(name="inner")
    model.graph.quantization_annotation.add(tensor_name="inner")
    strip_metadata(model)
    del model.graph.node[0].attribute[:]
    assert model.SerializeToString(deterministic=True) == bare.SerializeToString(deterministic=True)
    assert b"someone" not in model.SerializeToString()


def test_unused_opsets_go():
    model = network()
    model.opset_import.add(domain="com.example", version=1)
    drop_unused_opsets(model)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]


def test_the_default_domain_has_two_names():
    model = network()
    model.opset_import[0].domain = "ai.onnx"
    drop_unused_opsets(model)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    assert difference(network(), model, {"x": X}) == 0
