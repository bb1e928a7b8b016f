import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit_export.tflite.layers import is_matrix, tflite_layers
from export.tests.tflite.graphs import one_layer


@pytest.mark.parametrize(
    ("kind", "source", "weight", "output", "stride", "expected"),
    [
        ("CONV_2D", (1, 4, 6, 3), (5, 1, 1, 3), (1, 4, 6, 5), 1, True),
        ("CONV_2D", (1, 4, 6, 3), (5, 1, 1, 3), (1, 2, 3, 5), 2, False),
        ("CONV_2D", (1, 4, 6, 3), (5, 3, 3, 3), (1, 4, 6, 5), 1, False),
        ("CONV_2D", (1, 4, 6, 6), (4, 1, 1, 3), (1, 4, 6, 4), 1, False),  # two groups
        ("DEPTHWISE_CONV_2D", (1, 4, 6, 3), (1, 1, 1, 3), (1, 4, 6, 3), 1, False),
        ("FULLY_CONNECTED", (1, 7), (5, 7), (1, 5), 1, True),
        ("FULLY_CONNECTED", (2, 1, 7), (5, 7), (2, 5), 1, False),
    ],
)
def test_a_matrix_for_all_positions(kind, source, weight, output, stride, expected):
    graph = one_layer(kind, source, weight, output, stride)
    (layer,) = tflite_layers(graph)
    assert (layer.name, layer.kind) == ("y", kind)
    assert is_matrix(graph, graph.operators[0]) is expected
