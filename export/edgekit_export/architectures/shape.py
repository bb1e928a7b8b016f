"""What a decoder-only text model is, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rope:
    """Rotary position embedding (Su et al. 2021) of one kind of layer: halves are rotated, not neighbours.

    Attributes:
        theta: base of the wavelengths.
        factor: positions are divided by it (linear scaling); 1 for none.
    """

    theta: float
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """Numbers and choices that make the graph; tensors have the names of :data:`LAYER_TENSORS`.

    Attributes:
        architecture: as GGUF calls it: ``llama``, ``gemma3``.
        hidden, layers, heads, kv_heads, head_dim, intermediate, vocabulary: sizes.
        epsilon: of the RMS norms.
        activation: of the gate.
        ropes: one a layer.
        windows: one a layer: tokens that it looks back at, itself among them; ``None`` for all.
        query_scale: factor on the products of queries and keys.
        embedding_scale: factor on the embedding's rows.
        head_norms: queries and keys have a norm of their own (``q_norm``, ``k_norm``).
        post_norms: attention and feed-forward end in a norm of their own, before the residual is added.
        tied: the head is the embedding's table.
        context: most tokens that the checkpoint was made for.
    """

    architecture: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    epsilon: float
    activation: Literal["silu", "gelu_tanh"]
    ropes: tuple[Rope, ...]
    windows: tuple[int | None, ...]
    query_scale: float
    embedding_scale: float
    head_norms: bool
    post_norms: bool
    tied: bool
    context: int


MATRICES = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
"""Of a layer: ``layers.{i}.{name}.weight``, ``(outputs, inputs)``."""

EMBEDDING, HEAD, LAST_NORM = "embed_tokens.weight", "lm_head.weight", "norm.weight"
"""Outside of layers; the head only where it is not tied."""


def norms(shape: DecoderShape) -> tuple[str, ...]:
    """Of a layer: ``layers.{i}.{name}.weight``, vectors that are multiplied with as they are.

    (transformers' Gemma stores them less one; GGUF does not.) ``pre_feedforward_layernorm`` is what llama calls
    ``post_attention_layernorm``: the norm before the feed-forward part.
    """
    found = ["input_layernorm", "pre_feedforward_layernorm"]
    if shape.post_norms:
        found += ["post_attention_layernorm", "post_feedforward_layernorm"]
    return (*found, *(("self_attn.q_norm", "self_attn.k_norm") if shape.head_norms else ()))
