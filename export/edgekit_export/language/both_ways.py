"""Calls of a decoder whose tokens look at each other both ways: the places of one picture, as Gemma 3 has them.

``GroupQueryAttention`` looks back only. It writes the keys and values of every call; where the input
:data:`BOTH_WAYS` is not 0, a branch without weights computes the attention anew from them: each token sees all tokens
up to the call's last, as far back as its layer's window reaches (``create_masks_for_vision_model`` of transformers'
``modeling_gemma3.py``: the window bounds what lies before a token, not what lies ahead in its picture).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from edgekit_export.architectures.shape import DecoderShape
from edgekit_export.language.graph_writer import CONTRIB, GraphWriter

BOTH_WAYS = "both_ways"
"""Input: int32 ``(1,)``, 1 or 0."""

EMBEDS, TOTAL = "inputs_embeds", "total_sequence_length"
"""The decoder's inputs that tell where a call's tokens stand."""

_CHOSEN, _FIRST, _END = (f"{BOTH_WAYS}.{part}" for part in ("chosen", "first", "end"))
_MASKED = np.finfo(np.float32).min


class BothWays:
    """Writes the branches.

    Args:
        shape: of the model.
        windows: of each layer, tokens that it looks back at; ``None`` for all.
        writer: of the decoder's graph.
    """

    def __init__(self, shape: DecoderShape, windows: Sequence[int | None], writer: GraphWriter) -> None:
        self._shape, self._windows, self._writer = shape, windows, writer
        writer.add("Cast", [BOTH_WAYS], _CHOSEN, to=TensorProto.BOOL)
        writer.add("Cast", [TOTAL], f"{_END}.scalar", to=TensorProto.INT64)
        writer.add("Reshape", [f"{_END}.scalar", self._integers(1)], _END)
        tokens = writer.add("Shape", [EMBEDS], f"{BOTH_WAYS}.tokens", start=1, end=2)
        writer.add("Sub", [_END, tokens], _FIRST)
        for window in sorted({window for window in windows if window is not None}):
            self._hide(window)

    def attend(self, layer: int, causal: str, query: str, kept: Sequence[str], tables: Sequence[str]) -> str:
        """What a layer's attention gives, ``(1, tokens, heads · head_dim)``.

        Args:
            layer: its number.
            causal: the same, of tokens that look back only.
            query: queries, of the same shape, not yet rotated.
            kept: keys and values, those of this call among them, ``(1, kv_heads, capacity, head_dim)``.
            tables: cosines and sines of positions.
        """
        name, then, other = f"{causal}.chosen", self._writer.branch(), self._writer.branch()
        self._attend(then, f"{name}.then", query, kept, tables, self._windows[layer])
        other.add("Identity", [causal], f"{name}.else")
        self._writer.choose(_CHOSEN, name, then, other)
        return name

    def _hide(self, window: int) -> None:
        """What scores get added, ``(tokens, total)``: 0 where a token sees another, ``window - 1`` places back."""
        writer, name = self._writer, _hidden(window)
        start = writer.add("Squeeze", [_FIRST], f"{name}.start")
        end, step = f"{_END}.scalar", self._number(1)
        asked = writer.add("Range", [start, end, step], f"{name}.asked")
        column = writer.add("Unsqueeze", [asked, self._integers(1)], f"{name}.column")
        before = writer.add("Sub", [column, self._number(window)], f"{name}.before")
        known = writer.add("Range", [self._number(0), end, step], f"{name}.known")
        seen = writer.add("Greater", [known, before], f"{name}.seen")
        values = [writer.constant(f"float{x!r}", np.asarray(x, np.float32)) for x in (0.0, float(_MASKED))]
        writer.add("Where", [seen, *values], name)

    def _attend(
        self,
        then: GraphWriter,
        name: str,
        query: str,
        kept: Sequence[str],
        tables: Sequence[str],
        window: int | None,
    ) -> None:
        shape, groups, width = self._shape, self._shape.kv_heads, self._shape.head_dim
        each = shape.heads // groups
        turned = then.add(
            "RotaryEmbedding", [query, _FIRST, *tables], f"{name}.turned", CONTRIB, num_heads=shape.heads
        )
        apart = then.add("Reshape", [turned, self._integers(-1, groups, each, width)], f"{name}.apart")
        asked = then.add("Transpose", [apart], f"{name}.asked", perm=[1, 2, 0, 3])
        keys, values = (self._known(then, part, f"{name}.{part}") for part in kept)
        scores = f"{name}.scores"
        then.add("FusedMatMul", [asked, keys], scores, CONTRIB, transB=1, alpha=shape.query_scale)
        if window is not None:
            scores = then.add("Add", [scores, _hidden(window)], f"{name}.hidden")
        shares = then.add("Softmax", [scores], f"{name}.shares", axis=-1)
        mixed = then.add("MatMul", [shares, values], f"{name}.mixed")
        tokens = then.add("Transpose", [mixed], f"{name}.tokens", perm=[2, 0, 1, 3])
        then.add("Reshape", [tokens, self._integers(1, -1, shape.heads * width)], name)

    def _known(self, then: GraphWriter, kept: str, name: str) -> str:
        """Up to the call's last token, for all queries that share a head: ``(kv_heads, 1, total, head_dim)``."""
        part = then.add("Slice", [kept, self._integers(0), _END, self._integers(2)], f"{name}.known")
        dims = self._integers(self._shape.kv_heads, 1, -1, self._shape.head_dim)
        return then.add("Reshape", [part, dims], f"{name}.heads")

    def _integers(self, *values: int) -> str:
        return self._writer.constant(f"dims{list(values)}", np.asarray(values, np.int64))

    def _number(self, value: int) -> str:
        return self._writer.constant(f"int{value}", np.asarray(value, np.int64))


def _hidden(window: int) -> str:
    return f"{BOTH_WAYS}.hidden{window}"
