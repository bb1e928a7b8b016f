import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit.errors import ModelError
from edgekit_export.tflite.flatbuffer import read_tflite, write_tflite
from edgekit_export.tflite.tap import session_of_tflite
from edgekit_export.tflite.tidy import tidy
from tests.tflite_files import CUSTOM, FLOAT32, channel_means, ints, model, tensor

SIGNED = ({"args_0": 0}, {"output_0": 4})


def test_names_of_tensors_and_of_the_signature():
    graph = read_tflite(tidy(channel_means(signature=SIGNED), ["image"], ["scores"]), "tidy")
    assert [graph.name(i) for i in range(5)] == ["image", "constant1", "mean0", "constant2", "scores"]
    session = session_of_tflite(write_tflite(graph))
    assert [spec.name for spec in (*session.inputs, *session.outputs)] == ["image", "scores"]


def test_outputs_go_by_the_number_that_the_converter_gave_them():
    signed = ({"args_0": 0}, {"output_10": 2, "output_9": 4})
    data = channel_means(signature=signed)
    graph = read_tflite(data, "two")
    graph.main.outputs = ints(2, 4)
    graph = read_tflite(tidy(write_tflite(graph), ["image"], ["nine", "ten"]), "tidy")
    assert (graph.name(4), graph.name(2)) == ("nine", "ten")


def test_another_number_of_outputs_is_refused():
    with pytest.raises(ModelError, match="gives 1 outputs, expected 2: boxes, scores"):
        tidy(channel_means(signature=SIGNED), ["image"], ["boxes", "scores"])


def test_a_custom_operator_is_named():
    tensors = [tensor("x", (1,), FLOAT32), tensor("y", (1,), FLOAT32)]
    operators = [{0: ("I", 0), 1: ints(0), 2: ints(1)}]
    signed = ({"args_0": 0}, {"output_0": 1})
    data = model(tensors, operators, [CUSTOM], [], ((0,), (1,)), signed)
    with pytest.raises(ModelError, match="operator unknown but a custom one"):
        tidy(data, ["image"], ["scores"])
