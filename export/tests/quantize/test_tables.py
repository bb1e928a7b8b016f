import numpy as np
import pytest

from edgekit_export.quantize.tables import reduce_tables, tables
from export.tests.convert.graphs import constants_of, copy_of, model_of, node, run

ROWS, COLUMNS = 300, 64


def lookup(axis=0, rows=ROWS, also=()):
    rng = np.random.default_rng(0)
    table = rng.normal(0, 1, (rows, COLUMNS)) * np.exp(rng.normal(0, 2, (rows, 1)))
    nodes = [node("Gather", ["t", "i"], ["y"], axis=axis), *also]
    outputs = {
        name: [None] * (2 if name == "z" and also[0].op_type == "Transpose" else 3)
        for name in ("y", *(n.output[0] for n in also))
    }
    return model_of(nodes, {}, outputs, {"t": table, "i": np.asarray([[0, 1], [5, 7]])}), table


@pytest.mark.parametrize(("half", "error"), [(False, 0.5 / 127 + 1e-6), (True, 2.0**-11 + 1e-6)])
def test_rows_keep_their_own_scale(half, error):
    model, table = lookup()
    sizes = reduce_tables(model, half=half)
    (got,) = run(model, {})
    wanted = table[[[0, 1], [5, 7]]]
    assert got.dtype == np.float32
    assert (np.abs(got - wanted) / np.abs(wanted).max(axis=-1, keepdims=True)).max() <= error
    assert sizes == {"y": ROWS * COLUMNS * 2 if half else ROWS * (COLUMNS + 4)}
    assert "t" not in constants_of(model)


def test_two_lookups_share_one_table():
    model, _ = lookup(also=[node("Gather", ["t", "i"], ["z"])])
    assert [(t.name, t.shape) for t in tables(model)] == [("y", (ROWS, COLUMNS))]
    reduce_tables(model, half=False)
    y, z = run(model, {})
    assert np.array_equal(y, z)
    assert sum(v.dtype == np.int8 for v in constants_of(model).values()) == 1


@pytest.mark.parametrize(
    "model",
    [
        lookup(axis=1)[0],
        lookup(rows=8)[0],
        lookup(also=[node("Transpose", ["t"], ["z"])])[0],  # tied to a layer, which has its own way
        model_of(
            [node("Gather", ["x", "i"], ["y"])],
            {"x": [ROWS, COLUMNS]},
            {"y": [1, COLUMNS]},
            {"i": np.asarray([1])},
        ),
    ],
)
def test_no_table(model):
    before = copy_of(model)
    assert tables(model) == []
    assert reduce_tables(model, half=False) == {}
    assert model.graph.node == before.graph.node
