"""GGUF files of small models: what is read, what is refused, and what damage does."""

import random
import struct

import numpy as np
import pytest

pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
gguf = pytest.importorskip("gguf", reason="edgekit-export[transformers] is not installed")

from edgekit.errors import EdgekitError, ModelError  # noqa: E402
from edgekit_export.architectures.architecture import tensor_shapes  # noqa: E402
from edgekit_export.quantize.blockwise import Blockwise  # noqa: E402
from edgekit_export.sources.gguf.reader import open_gguf  # noqa: E402
from export.tests.sources.text_checkpoints import TEMPLATE, tiny_gemma3, tiny_llama, write_gguf  # noqa: E402


@pytest.fixture(scope="module")
def llama():
    return tiny_llama()


@pytest.fixture(scope="module")
def gemma():
    return tiny_gemma3()


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_codes_are_read_as_they_are(llama, kind, tmp_path):
    found = open_gguf(write_gguf(llama, tmp_path / "model.gguf", kind))
    for name, values in llama.named_parameters():
        if "norm" in name:
            continue
        made = found.read(name.removeprefix("model."))
        stored = gguf.GGMLQuantizationType[kind]
        wanted = gguf.dequantize(gguf.quantize(values.detach().numpy(), stored), stored)
        assert isinstance(made, Blockwise)
        # rows were moved before they were quantised; blocks are within rows, so that it changes nothing
        assert np.array_equal(made.dequantized().view(np.uint32), wanted.view(np.uint32)), name
    assert found.remarks == ()


@pytest.mark.parametrize("kind", ["F16", "BF16"])
def test_halves_are_read_as_float32(llama, kind, tmp_path):
    found = open_gguf(write_gguf(llama, tmp_path / "model.gguf", kind))
    values = llama.model.layers[1].mlp.up_proj.weight.detach().numpy()
    stored = gguf.GGMLQuantizationType[kind]
    wanted = gguf.dequantize(gguf.quantize(values, stored), stored).astype(np.float32)
    got = found.read("layers.1.mlp.up_proj.weight")
    assert got.dtype == np.float32
    assert np.array_equal(got, wanted)
    assert not np.array_equal(got, values)


def test_what_a_file_says_of_itself(llama, gemma, tmp_path):
    found = open_gguf(write_gguf(llama, tmp_path / "tiny.gguf"), origin="named")
    assert (found.name, found.origin, found.card.title, found.card.license) == (
        "tiny", "named", "Tiny Llama", "apache-2.0",
    )  # fmt: skip
    assert found.card.languages == ("en",)
    assert found.card.parameters == sum(p.numel() for p in llama.parameters())
    assert found.words.chat_template == TEMPLATE
    assert (found.words.first, found.words.ends) == (None, (0, 2))
    assert found.words.token_texts == {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}
    assert found.notices == {}
    found = open_gguf(write_gguf(gemma, tmp_path / "other.gguf"))
    assert (found.words.first, found.words.ends) == (2, (1, 5))
    assert found.words.chat_template == ""
    assert found.card.notes == "the GGUF file does not state: languages"
    assert found.card.notices == ("assets/NOTICE",)
    assert b"Gemma Terms of Use" in found.notices["assets/NOTICE"]


def test_layers_that_look_back_at_a_window(gemma, tmp_path):
    shape = open_gguf(write_gguf(gemma, tmp_path / "a.gguf")).shape
    assert shape.windows == (16, 16, 16, 16, 16, None, 16)
    assert [rope.theta for rope in shape.ropes] == [1e4] * 5 + [1e6, 1e4]
    assert (shape.embedding_scale, shape.query_scale) == (8.0, 32**-0.5)
    more = {
        "gemma3.attention.sliding_window_pattern": 3,
        "gemma3.rope.freq_base_swa": 5000.0,
        "gemma3.rope.scaling.type": "linear",
        "gemma3.rope.scaling.factor": 8.0,
    }
    shape = open_gguf(write_gguf(gemma, tmp_path / "b.gguf", more=more)).shape
    assert shape.windows == (16, 16, None, 16, 16, None, 16)
    assert [(rope.theta, rope.factor) for rope in shape.ropes[:3]] == [(5e3, 1.0), (5e3, 1.0), (1e6, 8.0)]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"llama.block_count": 3}, "has no tensor blk.2.attn_q.weight"),
        ({"llama.block_count": 1}, "has 9 tensors that llama is not supported with, first 'blk.1"),
        ({"llama.block_count": 5000}, "block_count: expected a whole number from 1 to 1024, got 5000"),
        ({"llama.block_count": None}, "block_count is missing"),
        ({"llama.embedding_length": 72}, r"expected shape \(288, 72\), got \(288, 64\)"),
        ({"llama.attention.head_count": 3}, "multiple of its 3 heads, got 64"),
        ({"llama.attention.head_count_kv": 3}, "queries a multiple of keys, got 4 and 3 heads of 16"),
        ({"llama.attention.head_count": [4, 4]}, "head_count: expected a whole number from 1 to"),
        ({"llama.attention.key_length": 15}, "got 4 and 2 heads of 15"),
        ({"llama.attention.layer_norm_rms_epsilon": float("nan")}, "expected a number above 0 and to 1e.12, got nan"),
        ({"llama.rope.scaling.type": ["a", "b"]}, "rope.scaling.type is a list"),
        ({"general.license": [1, 2], "tokenizer.ggml.model": [1, 2]}, r"expected gpt2 or llama, got '\[1, 2\]'"),
        ({"llama.expert_count": 8}, "expert_count is 8"),
        ({"llama.rope.scaling.type": "yarn"}, "rope.scaling.type is 'yarn'"),
        ({"llama.rope.dimension_count": 8}, "rope.dimension_count is 8"),
        ({"tokenizer.ggml.model": "bert"}, "tokenizer.ggml.model: expected gpt2 or llama, got 'bert'"),
        ({"tokenizer.ggml.pre": "qwen2"}, "no way to cut texts as 'qwen2' does .supported are gpt-2, smollm"),
        ({"tokenizer.ggml.tokens": ["a", "b", "a"]}, "some of its 3 texts are there twice"),
        ({"tokenizer.ggml.tokens": ["a" * 1025]}, "one has 1025 characters"),
        ({"tokenizer.ggml.tokens": [str(i) for i in range(289)]}, "token_type: expected 289 numbers"),
        ({"tokenizer.ggml.token_type": None, "tokenizer.ggml.tokens": [str(i) for i in range(289)]}, "289 tokens and"),
        ({"tokenizer.ggml.merges": ["x"]}, "'x' is no merge of two tokens into a third"),
        ({"tokenizer.ggml.merges": None}, "merges: expected a list of texts, got NoneType"),
        ({"tokenizer.ggml.eos_token_id": 4000}, "eos_token_id: expected one of 266 tokens, got 4000"),
        ({"tokenizer.ggml.add_bos_token": 1}, "add_bos_token: expected true or false, got 1"),
        ({"tokenizer.chat_template": 3}, "chat_template: expected text, got int"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_said(llama, more, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        open_gguf(write_gguf(llama, tmp_path / "model.gguf", more=more))


def test_an_architecture_that_is_not_supported(llama, tmp_path):
    path = write_gguf(llama, tmp_path / "model.gguf")
    length = struct.pack("<IQ", 8, 5)
    path.write_bytes(path.read_bytes().replace(length + b"llama", length + b"mamba", 1))
    with pytest.raises(
        ModelError, match="no way to export the architecture 'mamba' .supported are gemma3, llama"
    ):
        open_gguf(path)


def test_types_without_codes_are_rounded_anew_only_when_asked_to(llama, tmp_path):
    """MXFP4 stands for those types: gguf-py can write it."""
    path = write_gguf(llama, tmp_path / "model.gguf", "MXFP4")
    with pytest.raises(ModelError, match=r"token_embd.weight: MXFP4 cannot be held exactly.*--requantize"):
        open_gguf(path)
    found = open_gguf(path, requantize=True)
    assert found.remarks == ("15 tensors of type MXFP4 are not held exactly",)
    values = llama.model.layers[0].self_attn.k_proj.weight.detach().numpy()
    stored = gguf.GGMLQuantizationType.MXFP4
    wanted = gguf.dequantize(gguf.quantize(values, stored), stored)
    assert np.array_equal(found.read("layers.0.self_attn.k_proj.weight"), wanted)


def test_scales_that_are_not_finite(llama, tmp_path):
    path = write_gguf(llama, tmp_path / "model.gguf", "Q8_0")
    found = open_gguf(path)
    entry = found.read.places["layers.0.mlp.up_proj.weight"]
    with path.open("r+b") as file:
        file.seek(entry.start)
        file.write(struct.pack("<e", float("inf")))
    with pytest.raises(ModelError, match=r"tensor blk.0.ffn_up.weight: has values that are not finite"):
        found.read("layers.0.mlp.up_proj.weight")


def test_a_file_that_shrinks_while_it_is_read(llama, tmp_path):
    path = write_gguf(llama, tmp_path / "model.gguf")
    found = open_gguf(path)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(ModelError, match=r"tensor output_norm.weight: expected 256 bytes, got 0"):
        found.read("norm.weight")


@pytest.mark.parametrize("make", [tiny_llama, tiny_gemma3])
def test_damage_ends_in_errors_that_name_it(make, tmp_path):
    """Bits flipped and ends cut off: each gives a model that can be read, or an error of ours."""
    path = write_gguf(make(), tmp_path / "model.gguf", "Q4_0")
    whole, drawn, refused = path.read_bytes(), random.Random(8), 0
    begin = min(entry.start for entry in open_gguf(path).read.places.values())
    for i in range(160):
        damaged = bytearray(whole)
        if i % 4 == 0:
            del damaged[drawn.randrange(len(whole)) :]
        else:
            for _ in range(drawn.choice((1, 1, 3))):
                damaged[drawn.randrange(begin)] ^= 1 << drawn.randrange(8)
        path.write_bytes(damaged)
        try:
            found = open_gguf(path)
            for name in tensor_shapes(found.shape):
                found.read(name)
        except EdgekitError as error:
            assert len(str(error)) < 600
            refused += 1
    assert refused > 80
