import pytest

from edgekit.evaluation.origin import GraphOrigin
from edgekit.report.origin import heat, layers_table, matrix_table, stages_table, worst_layer


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_layers(full):
    graph = full().graphs["model"]
    assert texts(layers_table(graph))[1:3] == [
        ["2", "hurts", "Conv", "int8", "15.5 dB", "30.0 dB"],
        ["3", "even", "Clip", "int8", "–", "–"],
    ]
    assert worst_layer(graph) == (
        "hurts (Conv, int8) alone hurts the output most: 15.5 dB; "
        "late (Gemm, int8) is itself furthest off: 12.2 dB."
    )
    assert worst_layer(GraphOrigin(1, ())) == ""


def test_stages(full):
    assert texts(stages_table(full().graphs["model"].stages)) == [
        ["framework to exported full precision, optimiser on", "3.1e-05", "98.2 dB"],
        ["framework to exported full precision, optimiser off", "0", "equal to the bit"],
        ["full precision to reduced, optimiser on", "1.8", "21.4 dB"],
        ["full precision to reduced, optimiser off", "1.9", "21.3 dB"],
        ["reduced: optimiser off to on", "0.1", "44.0 dB"],
    ]


def test_matrix(full):
    table = matrix_table(full().matrix)
    assert table.columns == ("variant", "fp32", "int8")
    assert texts(table) == [["fp32", "100.00", "96.60"], ["int8", "96.60", "100.00"]]


@pytest.mark.parametrize(
    ("percent", "shade"), [(100.0, 0), (99.9, 1), (99.5, 1), (99.4, 2), (97.0, 4), (90.0, 5), (0.0, 6)]
)
def test_heat(percent, shade):
    assert heat(percent) == shade
