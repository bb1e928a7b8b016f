import os

import numpy as np
import onnx
import pytest

from edgekit.errors import ModelError
from edgekit_export.sources.onnx_file import input_shape, onnx_framework, read_onnx, read_onnx_file


def test_a_whole_model_is_read_and_runs(small_classifier):
    model = read_onnx(small_classifier().SerializeToString(), "m.onnx")
    assert input_shape(model, "m.onnx") == (1, 3, 16, 16)
    (logits,) = onnx_framework(model)({"image": np.zeros((1, 3, 16, 16), np.float32)})
    assert logits.shape == (1, 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\xff\xff\xff", "is no ONNX model, or is truncated"),
        (b"PK\x03\x04 a zip of something", "is no ONNX model"),
        (onnx.ModelProto(ir_version=9).SerializeToString(), "has no graph"),
    ],
)
def test_what_is_no_model(data, message):
    with pytest.raises(ModelError, match=message):
        read_onnx(data, "m.onnx")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99])
def test_truncated_models(small_classifier, keep):
    data = small_classifier().SerializeToString()
    with pytest.raises(ModelError, match=r"m\.onnx"):
        read_onnx(data[: int(len(data) * keep)], "m.onnx")


@pytest.mark.parametrize("opset", [5, 99])
def test_unsupported_opsets(small_classifier, opset):
    model = small_classifier()
    model.opset_import[0].version = opset
    with pytest.raises(ModelError, match=f"opset {opset}, expected 7 to 23"):
        read_onnx(model.SerializeToString(), "m.onnx")


def test_foreign_operators(small_classifier):
    model = small_classifier()
    model.opset_import.append(onnx.helper.make_opsetid("com.example", 1))
    model.graph.node[0].domain = "com.example"
    with pytest.raises(ModelError, match="operators of the domain 'com.example'"):
        read_onnx(model.SerializeToString(), "m.onnx")


def test_a_domain_that_no_operator_is_of_does_not_matter(small_classifier):
    model = small_classifier()
    model.opset_import.add(domain="Paddle", version=1)
    assert len(read_onnx(model.SerializeToString(), "m.onnx").graph.node) == len(model.graph.node)


def test_weights_elsewhere(small_classifier):
    model = small_classifier()
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    with pytest.raises(ModelError, match="keeps weights in another file"):
        read_onnx(model.SerializeToString(), "m.onnx")


def test_a_graph_that_breaks_the_rules(small_classifier):
    model = small_classifier()
    model.graph.node[1].input[0] = "nowhere"
    with pytest.raises(ModelError, match="breaks ONNX's rules"):
        read_onnx(model.SerializeToString(), "m.onnx")


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        read_onnx_file(tmp_path / "gone.onnx")


def test_inputs_that_are_no_picture(small_classifier):
    model = small_classifier()
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    with pytest.raises(ModelError, match="expected float32"):
        input_shape(model, "m.onnx")
    model.graph.input.append(onnx.helper.make_tensor_value_info("more", 1, [1]))
    with pytest.raises(
        ModelError, match="expected one input, a picture, got 2.*its folder of the Hugging Face"
    ):
        input_shape(model, "m.onnx")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_pipe_or_a_folder_is_refused_instead_of_waited_for(tmp_path, make):
    make(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"m\.onnx: expected a file, got a folder, a pipe or a device"):
        read_onnx_file(tmp_path / "m.onnx")


def test_a_broken_rule_is_told_whole(small_classifier):
    model = small_classifier()
    model.graph.node[1].input[0] = "nowhere"
    with pytest.raises(ModelError, match="'nowhere' of node: .*Relu"):
        read_onnx(model.SerializeToString(), "m.onnx")


@pytest.mark.parametrize(
    ("sides", "turned"), [([1, 4, 5, 3], True), ([1, 3, 4, 5], False), ([1, 3, 3, 3], False)]
)
def test_channels_are_put_where_the_graph_wants_them(sides, turned):
    value = onnx.helper.make_tensor_value_info("x", 1, sides)
    nodes = [onnx.helper.make_node("Relu", ["x"], ["y"])]
    given = onnx.helper.make_tensor_value_info("y", 1, sides)
    graph = onnx.helper.make_graph(nodes, "g", [value], [given])
    opset = [onnx.helper.make_opsetid("", 18)]
    run = onnx_framework(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8))
    planar = np.random.default_rng(1).random([1, 3, *(sides[1:3] if turned else sides[2:])], np.float32)
    assert np.array_equal(run({"image": planar})[0], planar.transpose(0, 2, 3, 1) if turned else planar)
