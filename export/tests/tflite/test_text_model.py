"""A text checkpoint as TFLite gives what transformers gives, in one call or in many."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("gguf", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("ai_edge_litert", reason="edgekit[litert] is not installed")

from edgekit.bundle.manifest import LogitsHead, Model, Variant  # noqa: E402
from edgekit.bundle.ranges import BytesRange  # noqa: E402
from edgekit.bundle.tflite_model import check_tflite  # noqa: E402
from edgekit.engines.protocol import EngineOptions  # noqa: E402
from edgekit.engines.registry import engine_for  # noqa: E402
from edgekit.errors import ModelError, UsageError  # noqa: E402
from edgekit.tasks.decoder import BufferedDecoder  # noqa: E402
from edgekit_export.quantize.blockwise import Blockwise  # noqa: E402
from edgekit_export.sources.gguf.reader import open_gguf  # noqa: E402
from edgekit_export.sources.text_reference import reference_model  # noqa: E402
from edgekit_export.tflite.flatbuffer import read_tflite  # noqa: E402
from edgekit_export.tflite.text_model import text_input, text_tflite  # noqa: E402
from export.tests.sources.text_checkpoints import tiny_gemma3, tiny_llama, write_gguf  # noqa: E402

CONTEXT = 48
IDS = (np.arange(40) * 7 % 280).tolist()


def real(model):
    """Reads matrices in float32."""

    def read(name):
        found = model.read(name)
        return found.dequantized() if isinstance(found, Blockwise) else found

    return read


def decoder_of(data, shape, folder, **options):
    (folder / "decode.tflite").write_bytes(data)
    head = LogitsHead(tensor="logits", tokenizer="t.json", vocabulary=shape.vocabulary, ends=())
    model = Model("decode.tflite", "tflite", text_input(shape, CONTEXT), head)
    variant = Variant("fp32", "full_precision", "fp32", {"decode": model}, len(data))
    return BufferedDecoder(variant, folder, engine_for("tflite"), EngineOptions(threads=1, **options))


def scores(decoder, ids, chunk):
    decoder.rewind(0)
    parts = [ids[at : at + chunk] for at in range(0, len(ids), chunk)]
    return np.concatenate([decoder.extend(part, range(len(part))) for part in parts])


def expected(model):
    with torch.no_grad():
        return reference_model(model)(torch.tensor([IDS])).logits[0].numpy()


CHECKPOINTS = {
    "llama": (tiny_llama, "F32"),
    "llama_untied": (lambda: tiny_llama(tie_word_embeddings=False), "F32"),
    "gemma3": (tiny_gemma3, "F32"),
    "llama_q4_1": (tiny_llama, "Q4_1"),
    "llama_q8_0": (tiny_llama, "Q8_0"),
    "gemma3_q5_0": (tiny_gemma3, "Q5_0"),
    "gemma3_q4_1": (tiny_gemma3, "Q4_1"),
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    def make(name):
        network, kind = CHECKPOINTS[name]
        return open_gguf(write_gguf(network(), tmp_path_factory.mktemp(name) / "model.gguf", kind))

    return make


@pytest.mark.parametrize("name", ["llama", "llama_untied", "gemma3"])
def test_full_precision_is_transformers_own_in_chunks_of_any_size(name, checkpoint, tmp_path):
    model = checkpoint(name)
    data = text_tflite(model.shape, CONTEXT, model.read)
    check_tflite(BytesRange(data), "decode.tflite")
    decoder, wanted = decoder_of(data, model.shape, tmp_path), expected(model)
    for chunk in (1, 7, 40):
        np.testing.assert_allclose(scores(decoder, IDS, chunk), wanted, atol=3e-6)


@pytest.mark.parametrize("name", ["llama_q4_1", "llama_q8_0", "gemma3_q5_0", "gemma3_q4_1"])
def test_int8_of_the_references_own_grid_is_right_to_16_bits(name, checkpoint, tmp_path):
    model = checkpoint(name)
    whole, coded = (text_tflite(model.shape, CONTEXT, read) for read in (real(model), model.read))
    assert len(coded) < 0.6 * len(whole)  # small as they are, the graph's own tables count
    (tmp_path / "whole").mkdir()
    full = scores(decoder_of(whole, model.shape, tmp_path / "whole"), IDS, 16)
    np.testing.assert_allclose(full, expected(model), atol=3e-6)
    found = scores(decoder_of(coded, model.shape, tmp_path), IDS, 16)
    assert np.abs(found - full).max() < 1e-3 * np.abs(full).max()
    np.testing.assert_array_equal(found.argmax(1), full.argmax(1))


def test_a_tied_table_is_stored_once(checkpoint):
    model = checkpoint("llama_q8_0")
    coded = read_tflite(text_tflite(model.shape, CONTEXT, model.read), "x").stored_bytes()
    matrices = sum(np.prod(model.read(n).shape) for n in _matrices(model.shape))
    assert coded["int8"] == matrices


def _matrices(shape):
    from edgekit_export.architectures.shape import EMBEDDING, MATRICES

    return [EMBEDDING, *(f"layers.{i}.{name}.weight" for i in range(shape.layers) for name in MATRICES)]


def test_the_same_checkpoint_gives_the_same_bytes(checkpoint):
    model = checkpoint("llama_q4_1")
    first, second = (text_tflite(model.shape, CONTEXT, model.read) for _ in range(2))
    assert first == second


def test_a_rewound_decoder_forgets_and_a_shorter_buffer_is_enough(checkpoint, tmp_path):
    model = checkpoint("llama")
    data = text_tflite(model.shape, CONTEXT, model.read)
    decoder = decoder_of(data, model.shape, tmp_path, context=24)
    assert decoder.capacity == 24
    wanted = scores(decoder, IDS[:20], 20)
    scores(decoder, IDS[20:40], 5)
    np.testing.assert_allclose(scores(decoder, IDS[:20], 20), wanted, atol=1e-6)
    decoder.rewind(8)
    np.testing.assert_allclose(decoder.extend(IDS[8:20], range(12)), wanted[8:], atol=3e-6)
    with pytest.raises(UsageError, match="expected 2 to 48"):
        decoder_of(data, model.shape, tmp_path, context=49)


def test_a_window_hides_what_lies_before_it(checkpoint, tmp_path):
    model = checkpoint("gemma3")  # one layer of seven sees all, the others the last 16
    assert model.shape.windows[0] == 16
    decoder = decoder_of(text_tflite(model.shape, CONTEXT, model.read), model.shape, tmp_path)
    np.testing.assert_allclose(scores(decoder, IDS, 1)[-1], expected(model)[-1], atol=3e-6)


def test_buffers_that_do_not_fit_are_refused(checkpoint, tmp_path):
    model = checkpoint("llama")
    path = tmp_path / "decode.tflite"
    path.write_bytes(text_tflite(model.shape, CONTEXT, model.read))
    pairs = [(pair.input, pair.output) for pair in text_input(model.shape, CONTEXT).past]
    session = engine_for("tflite").load_decoder(path, EngineOptions(threads=1), pairs)
    feeds = {spec.name: np.ones([side or 1 for side in spec.shape], spec.dtype) for spec in session.inputs}
    with pytest.raises(ModelError, match="before it was given buffers"):
        session.run(feeds)
    shape = (1, model.shape.kv_heads, CONTEXT + 1, model.shape.head_dim)
    with pytest.raises(ModelError, match="expected a buffer"):
        session.attach([np.zeros(shape, np.float32) for _ in pairs])
    session.attach([np.zeros((*shape[:2], 4, shape[3]), np.float32) for _ in pairs])
    with pytest.raises(ModelError, match="inputs are"):
        session.run({})
    feeds["rows"], feeds["total_sequence_length"] = np.zeros(1, np.int64), np.array(5, np.int32)
    with pytest.raises(ModelError, match="end at token 5"):
        session.run(feeds)
    with pytest.raises(ModelError, match="has no input 'nothing'"):
        engine_for("tflite").load_decoder(path, EngineOptions(threads=1), [("nothing", "logits")])
