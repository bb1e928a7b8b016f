"""Rows of an embedding in codes come out as the table says, whatever its form."""

from types import SimpleNamespace

import numpy as np
import pytest

from edgekit.engines.onnxruntime import OnnxRuntimeEngine
from edgekit.engines.protocol import EngineOptions
from edgekit_export.language.embedding import embedding_graph
from edgekit_export.language.graph_writer import GraphWriter
from edgekit_export.language.linear import write_product
from edgekit_export.language.weights_file import WeightsFile
from export.tests.language.test_linear import FORMS, RNG, K, N, blockwise

KEY = "embed_tokens.weight"


def rows_of(folder, table, ids, scale=1.0):
    with WeightsFile(folder / "weights.bin") as weights:
        shape = SimpleNamespace(hidden=K, embedding_scale=scale)
        made = embedding_graph(shape, table, GraphWriter(weights))
        before = (folder / "weights.bin").stat().st_size
        write_product(GraphWriter(weights), "logits", "x", table, key=KEY)  # a tied head stores nothing again
    added = (folder / "weights.bin").stat().st_size - before
    (folder / "embed.onnx").write_bytes(made.SerializeToString())
    session = OnnxRuntimeEngine().load(folder / "embed.onnx", EngineOptions(threads=1))
    return session.run({"input_ids": np.array([ids], np.int64)})[0][0], added


@pytest.mark.parametrize(("bits", "block", "zeros", "minima"), FORMS)
def test_rows_are_those_of_the_table(tmp_path, bits, block, zeros, minima):
    table, ids = blockwise(bits, block, zeros, minima), [3, 0, N - 1, 3]
    found, _ = rows_of(tmp_path, table, ids)
    assert found.shape == (4, K)
    assert np.abs(found - table.dequantized()[ids]).max() <= 1e-5


def test_one_row_with_minima_and_a_scale(tmp_path):
    table = blockwise(4, 32, "low", minima=True)
    found, _ = rows_of(tmp_path, table, [7], scale=3.0)
    assert np.abs(found - 3 * table.dequantized()[[7]]).max() <= 1e-5


def test_floats_are_the_rows_themselves(tmp_path):
    table = RNG.normal(size=(N, K)).astype(np.float32)
    found, added = rows_of(tmp_path, table, [5, 1])
    assert np.array_equal(found, table[[5, 1]])
    assert added == 0
