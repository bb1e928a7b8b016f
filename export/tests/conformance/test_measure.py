import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgekit_export.conformance.family import Family
from edgekit_export.conformance.measure import measure


def classifier(folder):
    """Mean colour, times a matrix; written as an ONNX file."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "m"], ["y"]),
    ]
    constants = {"w": rng.normal(size=(8, 3, 3, 3)), "m": rng.normal(size=(8, 4))}
    initializer = [numpy_helper.from_array(v.astype(np.float32), name) for name, v in constants.items()]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph(nodes, "g", [given], [made], initializer)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "tiny.onnx")
    return str(folder / "tiny.onnx"), "--normalize", "0to1"


def test_a_family_goes_all_the_way(tmp_path):
    row = measure(Family("tiny", "picture", "random", classifier), tmp_path)
    assert row.whole, row
    assert float(row.parity.text) <= 1e-5
    assert row.int8.text.split("%")[0].isdigit()
    assert row.validates.text.startswith("disagreement +")
    assert row.validates.text.endswith("n 24")
    assert "needs a torch network" in row.tflite.text


def test_what_cannot_be_exported_has_its_reason_in_the_first_cell(tmp_path):
    row = measure(Family("none", "picture", "random", lambda _: ("no-such-model",)), tmp_path)
    assert not row.whole
    assert "no such file, folder or model" in row.exports.text
    assert {cell.text for cell in row.cells[1:]} == {"not exported"}


def test_a_model_that_cannot_be_made_does_not_end_the_table(tmp_path):
    def make(_folder):
        raise ValueError("no such width")

    row = measure(Family("none", "picture", "random", make), tmp_path)
    assert row.exports.text == "the model cannot be made: no such width"
    assert not row.whole
