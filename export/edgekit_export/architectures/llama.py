"""Llama (Touvron et al. 2023; SmolLM2, TinyLlama): ``LlamaForCausalLM``, GGUF's ``llama``."""

from __future__ import annotations

from typing import Any

from edgekit_export.architectures.architecture import GGUF_MATRICES, Architecture
from edgekit_export.architectures.rotation import config_rope, gguf_rope, head_size
from edgekit_export.architectures.settings import MAX_LAYERS, Settings
from edgekit_export.architectures.shape import DecoderShape, Rope


def _read_gguf(said: Settings, vocabulary: int, tied: bool) -> DecoderShape:
    said.expect("llama.expert_count", 0)
    said.expect("llama.attention.causal", True)
    hidden, heads = said.count("llama.embedding_length"), said.count("llama.attention.head_count")
    head_dim = said.count("llama.attention.key_length", head_size(hidden, heads, said.where))
    said.expect("llama.attention.value_length", head_dim)
    said.expect("llama.rope.dimension_count", head_dim)
    return _shape(
        hidden=hidden,
        layers=said.count("llama.block_count", most=MAX_LAYERS),
        heads=heads,
        kv_heads=said.count("llama.attention.head_count_kv", heads),
        head_dim=head_dim,
        intermediate=said.count("llama.feed_forward_length"),
        vocabulary=vocabulary,
        epsilon=said.number("llama.attention.layer_norm_rms_epsilon"),
        rope=gguf_rope(said, "llama", theta=10_000.0),
        query_scale=said.number("llama.attention.scale", head_dim**-0.5),
        tied=tied,
        context=said.count("llama.context_length"),
    )


def _read_config(said: Settings) -> DecoderShape:
    said.expect("hidden_act", "silu")
    said.expect("attention_bias", False)
    said.expect("mlp_bias", False)
    hidden, heads = said.count("hidden_size"), said.count("num_attention_heads")
    head_dim = said.count("head_dim", head_size(hidden, heads, said.where))
    return _shape(
        hidden=hidden,
        layers=said.count("num_hidden_layers", most=MAX_LAYERS),
        heads=heads,
        kv_heads=said.count("num_key_value_heads", heads),
        head_dim=head_dim,
        intermediate=said.count("intermediate_size"),
        vocabulary=said.count("vocab_size"),
        epsilon=said.number("rms_norm_eps", 1e-6),
        rope=config_rope(said, theta=10_000.0),
        query_scale=head_dim**-0.5,
        tied=said.flag("tie_word_embeddings", False),
        context=said.count("max_position_embeddings", 2048),
    )


def _shape(*, rope: Rope, layers: int, **known: Any) -> DecoderShape:  # noqa: ANN401 (fields of the shape)
    return DecoderShape(
        architecture="llama",
        layers=layers,
        activation="silu",
        ropes=(rope,) * layers,
        windows=(None,) * layers,
        embedding_scale=1.0,
        head_norms=False,
        post_norms=False,
        **known,
    )


def _config(shape: DecoderShape) -> dict[str, Any]:
    rope = shape.ropes[0]
    scaled = {"rope_type": "linear", "factor": rope.factor} if rope.factor != 1 else {"rope_type": "default"}
    return {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.epsilon,
        "tie_word_embeddings": shape.tied,
        "rope_parameters": {"rope_theta": rope.theta, **scaled},
    }


ARCHITECTURE = Architecture(
    name="llama",
    classes=("LlamaForCausalLM",),
    config_class="LlamaConfig",
    read_gguf=_read_gguf,
    read_config=_read_config,
    config=_config,
    gguf_layer={**GGUF_MATRICES, "input_layernorm": "attn_norm", "pre_feedforward_layernorm": "ffn_norm"},
    hf_layer={"pre_feedforward_layernorm": "post_attention_layernorm"},
    norm_offset=0.0,
    rotates_neighbours=True,
)
