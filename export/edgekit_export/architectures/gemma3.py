"""Gemma 3, text only (Gemma Team 2025; 270M, 1B): ``Gemma3ForCausalLM``, GGUF's ``gemma3``.

Five layers look back at a window with positions of base 10,000, the sixth at everything with base 1,000,000.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit.errors import ModelError
from edgekit_export.architectures.architecture import GGUF_MATRICES, Architecture
from edgekit_export.architectures.rotation import gguf_rope, head_size, rope_of
from edgekit_export.architectures.settings import MAX_LAYERS, Settings
from edgekit_export.architectures.shape import DecoderShape, Rope

_PATTERN = 6
_LOCAL_THETA, _GLOBAL_THETA = 10_000.0, 1_000_000.0
_LAYERS_27B = 62
"""Of this size alone, the scale of queries is by hidden size and heads (llama.cpp tells it by its layers, too)."""

_KINDS = ("sliding_attention", "full_attention")


def _read_gguf(said: Settings, vocabulary: int, tied: bool) -> DecoderShape:
    """What a file does not say is as llama.cpp has it (``LLM_ARCH_GEMMA3`` of llama-model.cpp)."""
    said.expect("gemma3.attention.causal", True)
    said.expect("gemma3.final_logit_softcapping", 0.0)
    said.expect("gemma3.attn_logit_softcapping", 0.0)
    hidden, heads = said.count("gemma3.embedding_length"), said.count("gemma3.attention.head_count")
    layers = said.count("gemma3.block_count", most=MAX_LAYERS)
    head_dim = said.count("gemma3.attention.key_length", head_size(hidden, heads, said.where))
    said.expect("gemma3.attention.value_length", head_dim)
    pattern = said.count("gemma3.attention.sliding_window_pattern", _PATTERN)
    scalar = hidden / heads if layers == _LAYERS_27B else head_dim
    return _shape(
        full=tuple((i + 1) % pattern == 0 for i in range(layers)),
        ropes=(
            Rope(said.number("gemma3.rope.freq_base_swa", _LOCAL_THETA)),
            gguf_rope(said, "gemma3", theta=_GLOBAL_THETA),
        ),
        window=said.count("gemma3.attention.sliding_window"),
        hidden=hidden,
        heads=heads,
        kv_heads=said.count("gemma3.attention.head_count_kv", heads),
        head_dim=head_dim,
        intermediate=said.count("gemma3.feed_forward_length"),
        vocabulary=vocabulary,
        epsilon=said.number("gemma3.attention.layer_norm_rms_epsilon"),
        query_scale=said.number("gemma3.attention.scale", scalar**-0.5),
        tied=tied,
        context=said.count("gemma3.context_length"),
    )


def _read_config(said: Settings) -> DecoderShape:
    """What a file does not say is as transformers' ``Gemma3TextConfig`` has it."""
    said.expect("hidden_activation", "gelu_pytorch_tanh")
    said.expect("attention_bias", False)
    said.expect("use_bidirectional_attention", False)
    said.expect("final_logit_softcapping")
    said.expect("attn_logit_softcapping")
    heads = said.count("num_attention_heads")
    return _shape(
        full=_full_layers(said, said.count("num_hidden_layers", most=MAX_LAYERS)),
        ropes=_config_ropes(said),
        window=said.count("sliding_window", 4096),
        hidden=said.count("hidden_size"),
        heads=heads,
        kv_heads=said.count("num_key_value_heads", 4),
        head_dim=said.count("head_dim", 256),
        intermediate=said.count("intermediate_size"),
        vocabulary=said.count("vocab_size"),
        epsilon=said.number("rms_norm_eps", 1e-6),
        query_scale=said.number("query_pre_attn_scalar", 256) ** -0.5,
        tied=said.flag("tie_word_embeddings", True),
        context=said.count("max_position_embeddings", 131_072),
    )


def _full_layers(said: Settings, layers: int) -> tuple[bool, ...]:
    """Which layers look at everything: ``layer_types``, or every so many."""
    kinds = said.values.get("layer_types")
    if kinds is None:
        pattern = said.count("sliding_window_pattern", said.count("_sliding_window_pattern", _PATTERN))
        return tuple((i + 1) % pattern == 0 for i in range(layers))
    if not isinstance(kinds, list) or len(kinds) != layers or any(kind not in _KINDS for kind in kinds):
        raise ModelError(
            f"{said.where}: layer_types: expected {layers} of {' or '.join(_KINDS)}, got {str(kinds)[:80]}"
        )
    return tuple(kind == "full_attention" for kind in kinds)


def _config_ropes(said: Settings) -> tuple[Rope, Rope]:
    """Of windows, and of layers that look at everything; the one scaling of older files is the latter's."""
    local = said.number("rope_local_base_freq", _LOCAL_THETA)
    theta = said.number("rope_theta", _GLOBAL_THETA)
    given = said.values.get("rope_parameters") or {}
    if not isinstance(given, dict) or not set(given) <= set(_KINDS):
        raise ModelError(f"{said.where}: rope_parameters: expected an object of {' and '.join(_KINDS)}")
    scaled = said.values.get("rope_scaling") or {}
    return (
        rope_of(given.get(_KINDS[0]) or {}, said.where, local),
        rope_of(given.get(_KINDS[1]) or scaled, said.where, theta),
    )


def _shape(
    *,
    full: tuple[bool, ...],
    ropes: tuple[Rope, Rope],
    window: int,
    hidden: int,
    **known: Any,  # noqa: ANN401
) -> DecoderShape:
    return DecoderShape(
        architecture="gemma3",
        hidden=hidden,
        layers=len(full),
        activation="gelu_tanh",
        ropes=tuple(ropes[everything] for everything in full),
        windows=tuple(None if everything else window for everything in full),
        embedding_scale=float(np.sqrt(np.float32(hidden))),  # float32, as transformers and llama.cpp round it
        head_norms=True,
        post_norms=True,
        **known,
    )


def _config(shape: DecoderShape) -> dict[str, Any]:
    return {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.epsilon,
        "tie_word_embeddings": shape.tied,
        "query_pre_attn_scalar": round(shape.query_scale**-2),
        "sliding_window": next((w for w in shape.windows if w is not None), shape.context),
        "layer_types": [_KINDS[window is None] for window in shape.windows],
        "rope_parameters": {kind: _rope_parameters(shape, everything=kind == _KINDS[1]) for kind in _KINDS},
    }


def _rope_parameters(shape: DecoderShape, *, everything: bool) -> dict[str, Any]:
    default = Rope(_GLOBAL_THETA if everything else _LOCAL_THETA)
    ropes = zip(shape.ropes, shape.windows, strict=True)
    rope = next((rope for rope, window in ropes if (window is None) == everything), default)
    scaled = {"rope_type": "linear", "factor": rope.factor} if rope.factor != 1 else {"rope_type": "default"}
    return {"rope_theta": rope.theta, **scaled}


ARCHITECTURE = Architecture(
    name="gemma3",
    classes=("Gemma3ForCausalLM",),
    config_class="Gemma3TextConfig",
    read_gguf=_read_gguf,
    read_config=_read_config,
    config=_config,
    gguf_layer={
        **GGUF_MATRICES,
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "post_attention_norm",
        "pre_feedforward_layernorm": "ffn_norm",
        "post_feedforward_layernorm": "post_ffw_norm",
        "self_attn.q_norm": "attn_q_norm",
        "self_attn.k_norm": "attn_k_norm",
    },
    hf_layer={},
    norm_offset=1.0,
    rotates_neighbours=False,
)
