import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit.errors import ModelError
from edgekit_export.tflite.flatbuffer import ALIGNMENT_BYTES, indices, read_tflite, write_tflite
from edgekit_export.tflite.tap import TfliteTap, session_of_tflite
from tests.tflite_files import channel_means

SIGNED = ({"image": 0}, {"scores": 4})


def graph_of(precision="fp32"):
    return read_tflite(channel_means(precision, signature=SIGNED), "means.tflite")


def test_what_a_graph_is_made_of():
    graph = graph_of()
    assert [graph.kind(op) for op in graph.operators] == ["MEAN", "FULLY_CONNECTED"]
    assert all(graph.is_builtin(op) for op in graph.operators)
    assert (graph.inputs, graph.outputs, list(graph.computed())) == ([0], [4], [2, 4])
    assert (graph.name(0), graph.shape(0), graph.dtype(0)) == ("image", (1, 8, 8, 3), "float32")
    np.testing.assert_array_equal(graph.constant(1), [1, 2])
    np.testing.assert_array_equal(graph.constant(3), np.diag([0.1] * 3).astype(np.float32))
    assert graph.constant(2) is None
    assert graph.producer(0) is None
    assert graph.kind(graph.producer(4)) == "FULLY_CONNECTED"
    assert indices(graph.operators[1].inputs) == [2, 3]
    assert indices(None) == []


def test_scales_of_codes():
    graph = graph_of("int8")
    assert graph.scale(4) == np.float32(0.1)
    assert graph.dtype(3) == "int8"
    assert len(graph_of().scale(4)) == 0


def test_written_and_read_again_it_is_the_same_file():
    once = write_tflite(graph_of())
    assert write_tflite(read_tflite(once, "again")) == once
    picture = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
    first = session_of_tflite(channel_means()).run({"image": picture})[0]
    second = session_of_tflite(once).run({"image": picture})[0]
    np.testing.assert_array_equal(first, second)


def test_constants_lie_at_multiples_of_sixteen():
    marks = [np.full(n, 171, np.uint8) for n in (5, 33)]
    graph = graph_of()
    for buffer, mark in zip(graph.model.buffers[1:], marks, strict=True):
        buffer.data = mark
    data = write_tflite(graph)
    for mark in marks:
        assert data.index(np.uint32(len(mark)).tobytes() + mark.tobytes()) % ALIGNMENT_BYTES == 12


def test_constants_and_scales_can_be_replaced():
    graph = graph_of("int8")
    graph.set_constant(3, np.full((3, 3), 7, np.int8))
    graph.set_scale(3, np.array([0.5], np.float32))
    again = read_tflite(write_tflite(graph), "again")
    assert (again.constant(3) == 7).all()
    assert again.scale(3) == 0.5
    with pytest.raises(AssertionError):
        graph.set_constant(3, np.zeros((3, 3), np.float32))


def test_weights_behind_the_flatbuffer_are_read():
    graph = graph_of()
    weights = graph.constant(3)
    for buffer in graph.model.buffers:
        buffer.offset, buffer.size = 0, 0
    start = 4096
    graph.model.buffers[2].data = None
    graph.model.buffers[2].offset, graph.model.buffers[2].size = start, weights.nbytes
    import flatbuffers

    builder = flatbuffers.Builder(0)
    builder.Finish(graph.model.Pack(builder), b"TFL3")
    packed = bytes(builder.Output())
    apart = packed + bytes(start - len(packed)) + weights.tobytes()
    np.testing.assert_array_equal(read_tflite(apart, "apart").constant(3), weights)


def test_equal_vectors_are_written_once():
    graph = graph_of("int8")
    for tensor in graph.main.tensors:
        quantization = type(graph.main.tensors[4].quantization)()
        quantization.scale, quantization.zeroPoint = np.ones(100, np.float32), np.zeros(100, np.int64)
        tensor.quantization = quantization
    data = write_tflite(graph)
    assert data.count(np.uint32(100).tobytes() + bytes(800)) == 1
    assert data.count(np.uint32(100).tobytes() + np.ones(100, np.float32).tobytes()) == 1
    assert [len(graph.scale(i)) for i in range(5)] == [100] * 5


def test_operators_and_constants_can_be_added():
    graph = graph_of()
    last = graph.operators[-1]
    moved = graph.add_tensor("moved", (1, 3))
    last.outputs = np.int32([moved])
    nibbles = np.array([0x21, 0x0F], np.uint8)  # 1, 2, −1 as codes of four bits
    stored = graph.add_constant("three", nibbles, ("int4", (3,)), (0.5, -1))
    assert (graph.dtype(stored), graph.shape(stored), graph.constant(stored)) == ("type 17", (3,), None)
    assert graph.scale(stored) == [0.5]
    graph.main.operators = [last, last]
    real = graph.insert(last, "DEQUANTIZE", [stored], graph.add_tensor("real", (3,)), version=6)
    graph.insert(last, "ADD", [moved, real], 4, fused=1)
    assert [graph.kind(op) for op in graph.operators[:2]] == ["DEQUANTIZE", "ADD"]
    assert [graph.fused(op) for op in graph.operators[:2]] == ["", "RELU"]


def test_what_is_inserted_is_computed():
    graph = graph_of()
    _, last = graph.operators
    doubled = graph.add_tensor("doubled", (1, 3))
    graph.insert(last, "ADD", [2, 2], doubled)
    last.inputs = np.int32([doubled, 3])
    (found,) = session_of_tflite(write_tflite(graph)).run({"image": np.full((1, 8, 8, 3), 2, np.float32)})
    np.testing.assert_allclose(found, np.full((1, 3), 0.4, np.float32))


@pytest.mark.parametrize("end", [0, 7, 60, 200])
def test_a_damaged_file_is_a_model_error(end):
    with pytest.raises(ModelError, match="means.tflite"):
        read_tflite(channel_means()[:end], "means.tflite")


def test_a_tap_gives_what_is_inside():
    batches = [{"image": np.full((1, 8, 8, 3), value, np.float32)} for value in (1.0, 3.0)]
    found = list(TfliteTap(channel_means(), [2, 4]).over(batches))
    assert [list(values) for values in found] == [["means", "scores"]] * 2
    np.testing.assert_allclose(found[1]["means"], [[3, 3, 3]], rtol=1e-6)
    np.testing.assert_allclose(found[1]["scores"], [[0.3, 0.3, 0.3]], rtol=1e-6)
