"""Gemma 3, text only (Gemma Team 2025; 270M, 1B): ``Gemma3ForCausalLM``, GGUF's ``gemma3``.

Five layers look back at a window with positions of base 10,000, the sixth at everything with base 1,000,000.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit.errors import ModelError
from edgekit_export.architectures.architecture import GGUF_MATRICES, Architecture
from edgekit_export.architectures.rotation import gguf_rope, rope_of
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.shape import DecoderShape, Rope
from edgekit_export.architectures.sizes import config_of_sizes, config_sizes, gguf_sizes, rope_parameters

_PATTERN = 6
_LOCAL_THETA, _GLOBAL_THETA = 10_000.0, 1_000_000.0
_LAYERS_27B = 62
"""Of this size alone, the scale of queries is by hidden size and heads (llama.cpp tells it by its layers, too)."""

_KINDS = ("sliding_attention", "full_attention")


def _read_gguf(said: Settings, vocabulary: int, tied: bool) -> DecoderShape:
    """What a file does not say is as llama.cpp has it (``LLM_ARCH_GEMMA3`` of llama-model.cpp)."""
    said.expect("gemma3.final_logit_softcapping", 0.0)
    said.expect("gemma3.attn_logit_softcapping", 0.0)
    sizes = gguf_sizes(said, "gemma3")
    layers, head_dim = sizes["layers"], sizes["head_dim"]
    pattern = said.count("gemma3.attention.sliding_window_pattern", _PATTERN)
    scalar = sizes["hidden"] / sizes["heads"] if layers == _LAYERS_27B else head_dim
    return _shape(
        **sizes,
        full=tuple((i + 1) % pattern == 0 for i in range(layers)),
        rotary=(
            Rope(said.number("gemma3.rope.freq_base_swa", _LOCAL_THETA)),
            gguf_rope(said, "gemma3", theta=_GLOBAL_THETA),
        ),
        window=said.count("gemma3.attention.sliding_window"),
        vocabulary=vocabulary,
        query_scale=said.number("gemma3.attention.scale", scalar**-0.5),
        tied=tied,
    )


def _read_config(said: Settings) -> DecoderShape:
    """What a file does not say is as transformers' ``Gemma3TextConfig`` has it."""
    said.expect("hidden_activation", "gelu_pytorch_tanh")
    said.expect("use_bidirectional_attention", False)
    said.expect("final_logit_softcapping")
    said.expect("attn_logit_softcapping")
    sizes = config_sizes(said, kv_heads=4, head_dim=256, context=131_072)
    return _shape(
        **sizes,
        full=_full_layers(said, sizes["layers"]),
        rotary=_config_ropes(said),
        window=said.count("sliding_window", 4096),
        query_scale=said.number("query_pre_attn_scalar", 256) ** -0.5,
        tied=said.flag("tie_word_embeddings", True),
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
    rotary: tuple[Rope, Rope],
    window: int,
    hidden: int,
    **known: Any,  # noqa: ANN401 (fields of the shape)
) -> DecoderShape:
    return DecoderShape(
        architecture="gemma3",
        hidden=hidden,
        activation="gelu_tanh",
        ropes=tuple(rotary[everything] for everything in full),
        windows=tuple(None if everything else window for everything in full),
        embedding_scale=float(np.sqrt(np.float32(hidden))),  # float32, as transformers and llama.cpp round it
        head_norms=True,
        post_norms=True,
        **known,
    )


def _config(shape: DecoderShape) -> dict[str, Any]:
    return {
        **config_of_sizes(shape),
        "query_pre_attn_scalar": round(shape.query_scale**-2),
        "sliding_window": next((w for w in shape.windows if w is not None), shape.context),
        "layer_types": [_KINDS[window is None] for window in shape.windows],
        "rope_parameters": {kind: _rope_parameters(shape, everything=kind == _KINDS[1]) for kind in _KINDS},
    }


def _rope_parameters(shape: DecoderShape, *, everything: bool) -> dict[str, Any]:
    default = Rope(_GLOBAL_THETA if everything else _LOCAL_THETA)
    ropes = zip(shape.ropes, shape.windows, strict=True)
    return rope_parameters(next((rope for rope, window in ropes if (window is None) == everything), default))


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
