import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgekit.processing.activations import activate
from edgekit_export.convert.cut_softmax import cut_softmax
from edgekit_export.convert.session import session_of


def ending_in_softmax(shape, opset, **attributes):
    nodes = [helper.make_node("Neg", ["x"], ["n"]), helper.make_node("Softmax", ["n"], ["y"], **attributes)]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


@pytest.mark.parametrize(
    ("shape", "opset", "attributes"),
    [((2, 3), 17, {}), ((1, 4, 3), 17, {"axis": 2}), ((1, 4, 3), 11, {"axis": 2}), ((2, 3), 11, {})],
)
def test_the_head_gives_what_the_softmax_gave(shape, opset, attributes):
    model = ending_in_softmax(shape, opset, **attributes)
    cut = cut_softmax(model)
    assert "Softmax" not in [node.op_type for node in cut.graph.node]
    onnx.checker.check_model(cut)
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    (logits,) = session_of(cut).run({"x": x})
    np.testing.assert_allclose(activate(logits, "softmax"), session_of(model).run({"x": x})[0], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "opset", "attributes"),
    [((1, 4, 3), 17, {"axis": 1}), ((1, 4, 3), 11, {}), ((1, 4, 3), 11, {"axis": 1})],
)
def test_another_axis_stays(shape, opset, attributes):
    assert cut_softmax(ending_in_softmax(shape, opset, **attributes)) is None


def test_other_endings_stay(small_classifier):
    model = small_classifier()
    assert cut_softmax(model) is None
    model.graph.output.add().CopyFrom(helper.make_tensor_value_info("r0", TensorProto.FLOAT, [1, 16, 8, 8]))
    assert cut_softmax(model) is None
