"""Sizes that all families of text models call the same, in GGUF's metadata and in transformers' ``config.json``."""

from __future__ import annotations

from typing import Any

from edgekit_export.architectures.rotation import head_size
from edgekit_export.architectures.settings import MAX_LAYERS, Settings
from edgekit_export.architectures.shape import DecoderShape, Rope


def gguf_sizes(said: Settings, name: str) -> dict[str, Any]:
    """Fields of a shape out of ``{name}.*``: those that the file lacks are as llama.cpp has them.

    Raises:
        ModelError: one is missing or damaged, or the file is not of a causal decoder with heads of one size.
    """
    said.expect(f"{name}.attention.causal", True)
    hidden, heads = said.count(f"{name}.embedding_length"), said.count(f"{name}.attention.head_count")
    head_dim = said.count(f"{name}.attention.key_length", head_size(hidden, heads, said.where))
    said.expect(f"{name}.attention.value_length", head_dim)
    return {
        "hidden": hidden,
        "layers": said.count(f"{name}.block_count", most=MAX_LAYERS),
        "heads": heads,
        "kv_heads": said.count(f"{name}.attention.head_count_kv", heads),
        "head_dim": head_dim,
        "intermediate": said.count(f"{name}.feed_forward_length"),
        "epsilon": said.number(f"{name}.attention.layer_norm_rms_epsilon"),
        "context": said.count(f"{name}.context_length"),
    }


def config_sizes(
    said: Settings, *, kv_heads: int | None, head_dim: int | None, context: int
) -> dict[str, Any]:
    """The same out of ``config.json``, whose classes differ in what they take for granted.

    Args:
        said: the file.
        kv_heads: where it says nothing; ``None`` for as many as heads.
        head_dim: the same; ``None`` for the hidden size over the heads.
        context: the same.

    Raises:
        ModelError: one is missing or damaged, or attention has biases.
    """
    said.expect("attention_bias", False)
    hidden, heads = said.count("hidden_size"), said.count("num_attention_heads")
    size = head_size(hidden, heads, said.where) if head_dim is None else head_dim
    return {
        "hidden": hidden,
        "layers": said.count("num_hidden_layers", most=MAX_LAYERS),
        "heads": heads,
        "kv_heads": said.count("num_key_value_heads", heads if kv_heads is None else kv_heads),
        "head_dim": said.count("head_dim", size),
        "intermediate": said.count("intermediate_size"),
        "vocabulary": said.count("vocab_size"),
        "epsilon": said.number("rms_norm_eps", 1e-6),
        "context": said.count("max_position_embeddings", context),
    }


def config_of_sizes(shape: DecoderShape) -> dict[str, Any]:
    """What transformers' configuration takes of these."""
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
    }


def rope_parameters(rope: Rope) -> dict[str, Any]:
    """The same of rotary positions."""
    scaled = {"rope_type": "linear", "factor": rope.factor} if rope.factor != 1 else {"rope_type": "default"}
    return {"rope_theta": rope.theta, **scaled}
