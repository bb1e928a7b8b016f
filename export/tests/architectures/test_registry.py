"""Architectures: found by both names, described the same way back, and hostile numbers refused."""

import pytest

from edgekit.errors import ModelError
from edgekit_export.architectures.architecture import check_shape, tensor_shapes
from edgekit_export.architectures.registry import ARCHITECTURES, by_class, by_gguf_name
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.shape import MATRICES, norms

LLAMA = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 288, "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5, "hidden_act": "silu", "tie_word_embeddings": True,
    "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 2e4},
}  # fmt: skip
GEMMA3 = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 7, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 32, "vocab_size": 320, "max_position_embeddings": 256,
    "rms_norm_eps": 1e-6, "query_pre_attn_scalar": 32, "sliding_window": 16, "tie_word_embeddings": False,
    "layer_types": ["sliding_attention"] * 5 + ["full_attention", "sliding_attention"],
    "rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
    },
}  # fmt: skip
CONFIGS = {"LlamaForCausalLM": LLAMA, "Gemma3ForCausalLM": GEMMA3}
HOSTILE = (
    None, True, -1, 0, 1.5, 2**24 + 1, 10**400, 1e308, float("nan"), float("inf"), "", "x", [], [1], {}, {"a": 1},
    [[]], {"rope_type": []}, {"factor": 10**400, "rope_type": "linear"}, {"full_attention": 3},
)  # fmt: skip


def test_found_by_both_names():
    assert [by_gguf_name(known.name, "here") for known in ARCHITECTURES] == list(ARCHITECTURES)
    assert [by_class(known.classes[0], "here") for known in ARCHITECTURES] == list(ARCHITECTURES)
    with pytest.raises(ModelError, match="architecture 'qwen3' .supported are gemma3, llama"):
        by_gguf_name("qwen3", "here")
    with pytest.raises(ModelError, match="architecture 'None'"):
        by_gguf_name(None, "here")
    with pytest.raises(ModelError, match="supported are Gemma3ForCausalLM, LlamaForCausalLM"):
        by_class("Qwen3ForCausalLM", "here")


@pytest.mark.parametrize("name", CONFIGS)
def test_a_shape_is_described_as_it_was_read(name):
    known = by_class(name, "here")
    shape = known.read_config(Settings(CONFIGS[name], "here"))
    assert {key: known.config(shape)[key] for key in CONFIGS[name] if key in known.config(shape)} == CONFIGS[
        name
    ]


@pytest.mark.parametrize("name", CONFIGS)
def test_tensors_have_names_in_both_kinds_of_files(name):
    known = by_class(name, "here")
    shape = known.read_config(Settings(CONFIGS[name], "here"))
    tensors = tensor_shapes(shape)
    assert len(tensors) == 2 + (not shape.tied) + shape.layers * (len(MATRICES) + len(norms(shape)))
    for named in (known.gguf_name, known.hf_name):
        assert len({named(tensor) for tensor in tensors}) == len(tensors)
    assert tensors["layers.1.self_attn.o_proj.weight"] == (64, 64)
    assert tensors["layers.1.self_attn.k_proj.weight"] == (32, 64)


def test_rows_of_llamas_queries_and_keys_alone_are_moved():
    known = by_gguf_name("llama", "here")
    shape = known.read_config(Settings(LLAMA, "here"))
    index = known.gguf_rows("layers.0.self_attn.k_proj.weight", shape)
    assert index.tolist() == [*range(0, 16, 2), *range(1, 16, 2), *range(16, 32, 2), *range(17, 32, 2)]
    assert len(known.gguf_rows("layers.0.self_attn.q_proj.weight", shape)) == 64
    assert known.gguf_rows("layers.0.self_attn.v_proj.weight", shape) is None
    gemma = by_gguf_name("gemma3", "here")
    assert gemma.gguf_rows("layers.0.self_attn.q_proj.weight", shape) is None


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, config in CONFIGS.items() for key in config])
def test_hostile_numbers_end_in_errors_that_name_the_key(name, key):
    known, refused = by_class(name, "here"), 0
    for value in HOSTILE:
        said = Settings({**CONFIGS[name], key: value}, "here")
        try:
            shape = known.read_config(said)
            check_shape(shape, "here")
            assert len(tensor_shapes(shape)) < 12_000
            known.config(shape)
        except ModelError as error:
            refused += 1
            assert len(str(error)) < 300
    assert refused >= 8


def test_scales_of_gemma3_27b():
    """62 layers alone tell it in a GGUF file: queries are scaled by hidden size and heads, not by the head's."""
    said = {
        "gemma3.embedding_length": 5376, "gemma3.block_count": 62, "gemma3.feed_forward_length": 21504,
        "gemma3.attention.head_count": 32, "gemma3.attention.head_count_kv": 16, "gemma3.context_length": 131072,
        "gemma3.attention.key_length": 128, "gemma3.attention.value_length": 128,
        "gemma3.attention.layer_norm_rms_epsilon": 1e-6, "gemma3.attention.sliding_window": 1024,
        "gemma3.rope.freq_base": 1e6, "gemma3.rope.scaling.type": "linear", "gemma3.rope.scaling.factor": 8.0,
    }  # fmt: skip
    known = by_gguf_name("gemma3", "here")
    assert known.read_gguf(Settings(said, "here"), 262208, True).query_scale == 168**-0.5
    assert (
        known.read_gguf(Settings({**said, "gemma3.block_count": 48}, "here"), 262208, True).query_scale
        == 128**-0.5
    )
