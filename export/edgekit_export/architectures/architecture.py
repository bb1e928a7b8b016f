"""What sets one family of text models apart, as a table's row: names of its tensors, and where its numbers stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.errors import ModelError
from edgekit.types import Array
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.shape import EMBEDDING, HEAD, LAST_NORM, MATRICES, DecoderShape, norms

GGUF_MATRICES = dict(
    zip(
        MATRICES, ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"), strict=True
    )
)
_GGUF_OUTSIDE = {EMBEDDING: "token_embd.weight", HEAD: "output.weight", LAST_NORM: "output_norm.weight"}
_HF_OUTSIDE = {EMBEDDING: f"model.{EMBEDDING}", HEAD: HEAD, LAST_NORM: f"model.{LAST_NORM}"}


@dataclass(frozen=True, slots=True)
class Architecture:
    """A family of decoders.

    Attributes:
        name: GGUF's ``general.architecture``.
        classes: of transformers, as ``config.json`` names them in ``architectures``.
        config_class: of transformers, which :attr:`config` fills.
        read_gguf: ``(metadata, rows of the embedding, tied)`` → shape.
        read_config: ``config.json`` → shape.
        config: shape → what transformers' configuration takes.
        gguf_layer: our name of a layer's tensor → GGUF's, both without ``.weight``.
        hf_layer: norms whose names in transformers are not ours: our name → theirs.
        norm_offset: what a norm has here and in GGUF above what transformers' files have.
        rotates_neighbours: GGUF has the rows of queries and keys so that neighbours are rotated, not halves.
    """

    name: str
    classes: tuple[str, ...]
    config_class: str
    read_gguf: Callable[[Settings, int, bool], DecoderShape]
    read_config: Callable[[Settings], DecoderShape]
    config: Callable[[DecoderShape], dict[str, Any]]
    gguf_layer: Mapping[str, str]
    hf_layer: Mapping[str, str]
    norm_offset: float
    rotates_neighbours: bool

    def gguf_name(self, name: str) -> str:
        """The name in a GGUF file of one of our tensors."""
        if name in _GGUF_OUTSIDE:
            return _GGUF_OUTSIDE[name]
        _, layer, part = name.split(".", 2)
        return f"blk.{layer}.{self.gguf_layer[part.removesuffix('.weight')]}.weight"

    def hf_name(self, name: str) -> str:
        """The name in transformers of one of our tensors."""
        if name in _HF_OUTSIDE:
            return _HF_OUTSIDE[name]
        _, layer, part = name.split(".", 2)
        own = part.removesuffix(".weight")
        return f"model.layers.{layer}.{self.hf_layer.get(own, own)}.weight"

    def gguf_rows(self, name: str, shape: DecoderShape) -> Array | None:
        """Where a GGUF file has the rows of one of our matrices: ``ours = theirs[index]``; ``None``: in our order.

        llama.cpp rotates neighbours (2i, 2i + 1) of a head where transformers rotates halves (i, i + head_dim / 2), so
        its converter moves the rows (``permute`` of convert_hf_to_gguf.py).
        """
        if not self.rotates_neighbours or not name.endswith((".q_proj.weight", ".k_proj.weight")):
            return None
        heads = shape.heads if name.endswith(".q_proj.weight") else shape.kv_heads
        theirs = np.arange(heads * shape.head_dim).reshape(heads, shape.head_dim // 2, 2)
        return theirs.swapaxes(1, 2).reshape(-1)


def check_shape(shape: DecoderShape, where: str) -> None:
    """Refuses heads that no graph can be made of.

    Args:
        shape: of a checkpoint that is not trusted.
        where: the file, for messages.

    Raises:
        ModelError: they have an odd size, or queries are not a multiple of keys.
    """
    if shape.heads % shape.kv_heads or shape.head_dim % 2:
        raise ModelError(
            f"{where}: expected heads of an even size, queries a multiple of keys, got {shape.heads} and "
            f"{shape.kv_heads} heads of {shape.head_dim}"
        )


def tensor_shapes(shape: DecoderShape) -> dict[str, tuple[int, ...]]:
    """All tensors of a model by our names: matrices ``(outputs, inputs)``, norms ``(elements,)``."""
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    matrices = dict(
        zip(
            MATRICES,
            (
                (queries, shape.hidden),
                (keys, shape.hidden),
                (keys, shape.hidden),
                (shape.hidden, queries),
                (shape.intermediate, shape.hidden),
                (shape.intermediate, shape.hidden),
                (shape.hidden, shape.intermediate),
            ),
            strict=True,
        )
    )
    found: dict[str, tuple[int, ...]] = {
        EMBEDDING: (shape.vocabulary, shape.hidden),
        LAST_NORM: (shape.hidden,),
    }
    if not shape.tied:
        found[HEAD] = (shape.vocabulary, shape.hidden)
    for i in range(shape.layers):
        found |= {f"layers.{i}.{name}.weight": size for name, size in matrices.items()}
        for name in norms(shape):
            found[f"layers.{i}.{name}.weight"] = (
                (shape.head_dim,) if name.startswith("self_attn.") else (shape.hidden,)
            )
    return found
