import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit_export.tflite.drop_unread import drop_unread
from edgekit_export.tflite.flatbuffer import read_tflite, write_tflite
from edgekit_export.tflite.tap import session_of_tflite
from tests.tflite_files import channel_means

SIGNED = ({"image": 0}, {"scores": 4})
PICTURE = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)


def graph_of():
    return read_tflite(channel_means(signature=SIGNED), "means.tflite")


def test_a_graph_without_any_stays_as_it_is():
    graph = graph_of()
    before = write_tflite(graph)
    drop_unread(graph)
    assert write_tflite(graph) == before


def test_what_nothing_reads_is_gone_and_the_rest_computes_the_same():
    graph = graph_of()
    wanted = session_of_tflite(write_tflite(graph)).run({"image": PICTURE})[0]
    small = len(write_tflite(graph))
    _, linear = graph.operators
    graph.add_constant("unread", np.full(5000, 7, np.uint8))
    weight = graph.add_constant("weight", 2 * graph.constant(3))
    linear.inputs = np.int32([linear.inputs[0], weight, -1])  # tensor 3, in the middle, is unread now
    assert len(write_tflite(graph)) > small + 5000
    drop_unread(graph)
    assert [graph.name(i) for i in range(len(graph.main.tensors))][-1] == "weight"
    assert len(graph.main.tensors) == 5
    assert len(graph.model.buffers) == 3
    assert list(graph.operators[1].inputs) == [2, 4, -1]
    data = write_tflite(graph)
    assert abs(len(data) - small) < 64
    np.testing.assert_array_equal(session_of_tflite(data).run({"image": PICTURE})[0], 2 * wanted)
