"""A decoder's layer in torch, for calibration: the graphs' arithmetic, with the matrices left to the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from edgekit_export.architectures.shape import DecoderShape, Rope

if TYPE_CHECKING:
    import torch

Linear = Callable[[str, "torch.Tensor"], "torch.Tensor"]
"""Called with a matrix' name inside its layer (``self_attn.q_proj``) and what it reads, ``(..., inputs)`` float32;
gives ``(..., outputs)``. Called in the order of the data's flow: one stage may be quantised before the next reads."""


def decode_layer(
    shape: DecoderShape,
    index: int,
    norms: Mapping[str, torch.Tensor],
    linear: Linear,
    x: torch.Tensor,
    blocks: torch.Tensor | None = None,
) -> torch.Tensor:
    """One layer over whole sequences, without a cache.

    Args:
        shape: of the model.
        index: of the layer, which its rope and its window depend on.
        norms: the layer's vectors by their names inside it (:func:`~edgekit_export.architectures.shape.norms`).
        linear: multiplies with the layer's matrices.
        x: ``(sequences, tokens, hidden)`` float32.
        blocks: ``(sequences, tokens)`` whole numbers: tokens of equal ones from 0 on look at each other both ways.

    Returns:
        The shape of ``x``.
    """

    def norm(name: str, values: torch.Tensor) -> torch.Tensor:
        return rms_norm(values, norms[name], shape.epsilon)

    mask = _mask(x.shape[1], shape.windows[index], blocks)
    attended = _attention(shape, index, norm, linear, norm("input_layernorm", x), mask)
    found = linear("self_attn.o_proj", attended)
    x = x + (norm("post_attention_layernorm", found) if shape.post_norms else found)
    y = norm("pre_feedforward_layernorm", x)
    gate = _activation(shape, linear("mlp.gate_proj", y))
    found = linear("mlp.down_proj", gate * linear("mlp.up_proj", y))
    return x + (norm("post_feedforward_layernorm", found) if shape.post_norms else found)


def rms_norm(x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Root mean square norm over the last axis (Zhang and Sennrich 2019, arXiv 1910.07467, equation 4)."""
    return x * (x.square().mean(-1, keepdim=True) + epsilon).rsqrt() * weight


def _attention(
    shape: DecoderShape,
    index: int,
    norm: Callable[[str, torch.Tensor], torch.Tensor],
    linear: Linear,
    y: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """Grouped-query attention; gives what the output matrix reads, ``(sequences, tokens, heads · head_dim)``."""
    from torch.nn import functional

    sequences, tokens, _ = y.shape

    def heads(name: str, count: int) -> torch.Tensor:
        return linear(name, y).reshape(sequences, tokens, count, shape.head_dim)

    query, key = heads("self_attn.q_proj", shape.heads), heads("self_attn.k_proj", shape.kv_heads)
    value = heads("self_attn.v_proj", shape.kv_heads).transpose(1, 2)
    if shape.head_norms:
        query, key = norm("self_attn.q_norm", query), norm("self_attn.k_norm", key)
    query, key = (_rotated(part.transpose(1, 2), shape.ropes[index]) for part in (query, key))
    repeats = shape.heads // shape.kv_heads
    found = functional.scaled_dot_product_attention(
        query,
        key.repeat_interleave(repeats, 1),
        value.repeat_interleave(repeats, 1),
        attn_mask=mask,
        scale=shape.query_scale,
    )
    return found.transpose(1, 2).reshape(sequences, tokens, -1)


def _mask(tokens: int, window: int | None, blocks: torch.Tensor | None) -> torch.Tensor:
    """``(tokens, tokens)`` bool, or ``(sequences, 1, tokens, tokens)``: what a token sees, itself among it."""
    import torch

    seen = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    if blocks is not None:
        alike = blocks[:, :, None] == blocks[:, None]
        seen = (seen | (alike & (blocks >= 0)[:, None]))[:, None]
    return seen if window is None else seen & torch.ones(tokens, tokens, dtype=torch.bool).triu(1 - window)


def _rotated(x: torch.Tensor, rope: Rope) -> torch.Tensor:
    """Rotary positions on ``(sequences, heads, tokens, head_dim)`` from token 0 on."""
    import torch

    tokens, size = x.shape[-2:]
    frequency = rope.theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angle = torch.outer(torch.arange(tokens, dtype=torch.float64) / rope.factor, frequency).repeat(1, 2)
    low, high = x.chunk(2, -1)
    return x * angle.cos().to(x.dtype) + torch.cat((-high, low), -1) * angle.sin().to(x.dtype)


def _activation(shape: DecoderShape, x: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    if shape.activation == "silu":
        return functional.silu(x)
    return functional.gelu(x, approximate="tanh")
