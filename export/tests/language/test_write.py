"""Both graphs of tiny models: transformers' logits in float32, and one table for embedding and head."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

torch = pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("gguf", reason="edgekit-export[transformers] is not installed")

from edgekit.engines.onnxruntime import OnnxRuntimeEngine  # noqa: E402
from edgekit.engines.protocol import EngineOptions  # noqa: E402
from edgekit_export.architectures.architecture import tensor_shapes  # noqa: E402
from edgekit_export.language.plans import full_precision  # noqa: E402
from edgekit_export.language.write import DECODE, EMBED, WEIGHTS, write_graphs  # noqa: E402
from edgekit_export.quantize.block_grid import Format, round_nearest  # noqa: E402
from edgekit_export.sources.gguf.reader import open_gguf  # noqa: E402
from export.tests.sources.text_checkpoints import tiny_gemma3, tiny_llama, write_gguf  # noqa: E402

MADE = {
    "llama": tiny_llama,
    "untied": partial(tiny_llama, tie_word_embeddings=False),
    "gemma3": tiny_gemma3,
}
CAPACITY = 64


@pytest.fixture(scope="module", params=MADE)
def checkpoint(request, tmp_path_factory):
    """A network of transformers, and the same as a GGUF file read by us."""
    network = MADE[request.param]()
    return network, open_gguf(write_gguf(network, tmp_path_factory.mktemp("tiny") / "model.gguf"))


class Graphs:
    """Both graphs on one buffer."""

    def __init__(self, folder, shape):
        engine, options = OnnxRuntimeEngine(), EngineOptions(threads=1)
        pairs = [
            (f"past.{i}.{part}", f"present.{i}.{part}")
            for i in range(shape.layers)
            for part in ("key", "value")
        ]
        self.embed = engine.load(folder / EMBED, options)
        self.decode = engine.load_decoder(folder / DECODE, options, pairs)
        size = (1, shape.kv_heads, CAPACITY, shape.head_dim)
        self.decode.attach([np.zeros(size, np.float32) for _ in pairs])
        self.total = 0

    def __call__(self, ids, rows):
        self.total += len(ids)
        feeds = {
            "inputs_embeds": self.embed.run({"input_ids": np.array([ids], np.int64)})[0],
            "rows": np.array(rows, np.int64),
            "seqlens_k": np.array([self.total - 1], np.int32),
            "total_sequence_length": np.array(self.total, np.int32),
        }
        return self.decode.run(feeds)[0].copy()


def written(folder, model, read=None):
    write_graphs(folder, model.shape, CAPACITY, read or full_precision(model).read_text)
    return Graphs(folder, model.shape)


def ids_of(model, n=48):
    return np.random.default_rng(1).integers(0, model.shape.vocabulary, n).tolist()


def test_logits_are_those_of_transformers(checkpoint, tmp_path):
    network, model = checkpoint
    ids = ids_of(model)
    with torch.inference_mode():
        expected = network(torch.tensor([ids])).logits[0].numpy()
    found = written(tmp_path, model)(ids, range(len(ids)))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-4


def test_parts_and_single_tokens_give_what_the_whole_gives(checkpoint, tmp_path):
    _, model = checkpoint
    ids = ids_of(model)
    whole = written(tmp_path, model)(ids, range(len(ids)))
    graphs = Graphs(tmp_path, model.shape)
    parts = [graphs(ids[:20], range(20)), graphs(ids[20:33], range(13))]
    parts += [graphs([token], [0]) for token in ids[33:]]
    assert np.abs(np.concatenate(parts) - whole).max() <= 1e-4


def test_only_the_rows_asked_for_are_scored(checkpoint, tmp_path):
    _, model = checkpoint
    ids = ids_of(model)
    whole = written(tmp_path, model)(ids, range(len(ids)))
    some = Graphs(tmp_path, model.shape)(ids, [47, 3])
    assert np.abs(some - whole[[47, 3]]).max() <= 1e-5


def test_a_tied_table_is_stored_once(checkpoint, tmp_path):
    _, model = checkpoint
    written(tmp_path, model)
    matrices = 4 * sum(math.prod(size) for size in tensor_shapes(model.shape).values() if len(size) == 2)
    ropes = 4 * len(set(model.shape.ropes)) * CAPACITY * model.shape.head_dim
    stored = (tmp_path / WEIGHTS).stat().st_size
    assert matrices + ropes <= stored <= matrices + ropes + 64 * 100  # vectors of 1,024 bytes, and alignment


def test_no_reshape_loses_the_number_of_tokens(checkpoint, tmp_path):
    """Of a first dimension that it cannot name the engine's planner uses no array twice."""
    _, model = checkpoint
    full = full_precision(model).read_text

    def read(name):
        found = full(name)
        if found.ndim == 1:
            return found
        codes = round_nearest(found, Format(4, 32, symmetric=True))
        return replace(codes, minima=np.zeros_like(codes.scales))

    written(tmp_path, model, read)
    graph = onnx.load(tmp_path / DECODE, load_external_data=False).graph
    integers = [constant for constant in graph.initializer if constant.data_type == onnx.TensorProto.INT64]
    dims = {constant.name: numpy_helper.to_array(constant) for constant in integers}
    first = [dims[node.input[1]][0] for node in graph.node if node.op_type == "Reshape"]
    assert first == [0] * len(first)


def test_weights_of_8_bits_give_nearly_the_same(checkpoint, tmp_path):
    _, model = checkpoint
    ids, full = ids_of(model), full_precision(model).read_text
    exact = written(tmp_path, model)(ids, range(len(ids)))
    (tmp_path / "coded").mkdir()

    def read(name):
        found = full(name)
        return round_nearest(found, Format(8, 32, symmetric=True)) if found.ndim == 2 else found

    found = written(tmp_path / "coded", model, read)(ids, range(len(ids)))
    assert np.abs(found - exact).mean() <= 0.05 * np.abs(exact).mean()
