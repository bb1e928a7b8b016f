"""Llama (Touvron et al. 2023; SmolLM2, TinyLlama): ``LlamaForCausalLM``, GGUF's ``llama``."""

from __future__ import annotations

from typing import Any

from edgekit_export.architectures.architecture import GGUF_MATRICES, Architecture
from edgekit_export.architectures.rotation import config_rope, gguf_rope
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.shape import DecoderShape, Rope
from edgekit_export.architectures.sizes import config_of_sizes, config_sizes, gguf_sizes, rope_parameters


def _read_gguf(said: Settings, vocabulary: int, tied: bool) -> DecoderShape:
    said.expect("llama.expert_count", 0)
    sizes = gguf_sizes(said, "llama")
    said.expect("llama.rope.dimension_count", sizes["head_dim"])
    return _shape(
        **sizes,
        vocabulary=vocabulary,
        rope=gguf_rope(said, "llama", theta=10_000.0),
        query_scale=said.number("llama.attention.scale", sizes["head_dim"] ** -0.5),
        tied=tied,
    )


def _read_config(said: Settings) -> DecoderShape:
    said.expect("hidden_act", "silu")
    said.expect("mlp_bias", False)
    sizes = config_sizes(said, kv_heads=None, head_dim=None, context=2048)
    return _shape(
        **sizes,
        rope=config_rope(said, theta=10_000.0),
        query_scale=sizes["head_dim"] ** -0.5,
        tied=said.flag("tie_word_embeddings", False),
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
    rope = rope_parameters(shape.ropes[0])
    return {**config_of_sizes(shape), "hidden_act": "silu", "rope_parameters": rope}


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
