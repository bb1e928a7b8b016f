import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit_export.quantize.placement import Mode
from edgekit_export.tflite.flatbuffer import read_tflite
from edgekit_export.tflite.layers import tflite_layers
from edgekit_export.tflite.placement import Kind, kind_of, place_tflite


@pytest.fixture
def graph(twins):
    return read_tflite(twins.data, "twins")


def kinds_of(graph, placement):
    return [
        (graph.kind(op), placement.kinds.get(graph.name(int(op.outputs[0])), Kind.FLOAT).value[:6])
        for op in graph.operators
    ]


def test_int8_spreads_between_layers_and_stops_before_floats(graph):
    found = kinds_of(graph, place_tflite(graph, {}, Kind.STATIC))
    assert found[:7] == [
        ("CAST", "float"),
        ("SUB", "float"),
        ("PAD", "float"),
        ("CONV_2D", "static"),
        ("DEPTHWISE_CONV_2D", "static"),
        ("CONV_2D", "static"),
        ("CONV_2D", "static"),
    ]
    assert ("HARD_SWISH", "float") in found
    assert ("LOGISTIC", "float") in found
    assert found[-2:] == [("MEAN", "float"), ("FULLY_CONNECTED", "weight")]


def test_a_float_layer_between_keeps_its_neighbours_static(graph):
    second = list(tflite_layers(graph))[1].name
    placement = place_tflite(graph, {second: Kind.FLOAT}, Kind.STATIC)
    assert [kind for _, kind in kinds_of(graph, placement)[3:6]] == ["static", "float", "static"]


def test_ranges_are_asked_for_what_static_operators_touch(graph):
    placement = place_tflite(graph, {}, Kind.STATIC)
    names = [graph.name(i) for i in placement.coded]
    assert names[0] == "pad0"
    assert "scores" not in names
    assert len(set(names)) == len(names)
    assert place_tflite(graph, {}, Kind.WEIGHT_ONLY).coded == []


@pytest.mark.parametrize(
    ("mode", "matrix", "convolution"),
    [
        ("weight4", Kind.PACKED, Kind.WEIGHT_ONLY),
        ("weight6", Kind.PACKED, Kind.WEIGHT_ONLY),
        ("weight7", Kind.WEIGHT_ONLY, Kind.WEIGHT_ONLY),
        ("weight8", Kind.WEIGHT_ONLY, Kind.WEIGHT_ONLY),
        ("weight9", Kind.PACKED, Kind.PACKED),
        ("weight16", Kind.PACKED, Kind.PACKED),
        ("int8", Kind.STATIC, Kind.STATIC),
        ("wide", Kind.FLOAT, Kind.FLOAT),
        ("half", Kind.HALF, Kind.HALF),
    ],
)
def test_what_a_mode_becomes(mode, matrix, convolution):
    assert kind_of(Mode(mode), matrix=True) is matrix
    assert kind_of(Mode(mode), matrix=False) is convolution
