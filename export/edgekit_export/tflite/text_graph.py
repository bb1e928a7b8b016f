"""The TFLite graph of a decoder-only text model, written operator by operator: docs/decisions/tflite-text.md.

Tokens of a call, and rows whose scores are wanted, are as many as the caller gives: the interpreter resizes. Keys and
values of earlier tokens come in whole; those of the call's own tokens come out alone, and the caller puts them behind.
So nothing of the size of the context is copied inside the graph, nor out of it.

- ``input_ids`` int64 ``(1, tokens)``; or ``inputs_embeds`` float32 ``(1, tokens, hidden)``, where a picture can take
  places of tokens, and the lookup is a graph of its own: :func:`embedding_graph`
- ``rows`` int64 ``(rows,)``, ``seqlens_k`` int32 ``(1,)`` (not read), ``total_sequence_length`` int32 scalar, and
  ``both_ways`` int32 ``(1,)`` where pictures need it, as :class:`edgekit.bundle.manifest.DecoderInput` has them
- ``past.{i}.key``, ``past.{i}.value`` float32 ``(1, kv_heads, context, head_dim)``: read up to the call's first token
- ``logits`` float32 ``(rows, vocabulary)``
- ``present.{i}.key``, ``present.{i}.value`` float32 ``(1, kv_heads, tokens, head_dim)``
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from edgekit.types import F32
from edgekit_export.architectures.shape import EMBEDDING, HEAD, LAST_NORM, DecoderShape, Rope
from edgekit_export.language.both_ways import BOTH_WAYS
from edgekit_export.language.decoder import rope_angles
from edgekit_export.tflite.operations import Operations
from edgekit_export.tflite.text_matrices import Matrices, Read
from edgekit_export.tflite.writer import GraphWriter, Value

_MASKED = np.float32([-1e9])
_CUMSUM = {"": "CumsumOptions", "exclusive": False, "reverse": False}
_IDS, _EMBEDS = "input_ids", "inputs_embeds"


def embedding_graph(shape: DecoderShape, read: Read) -> bytes:
    """The lookup as a file of its own: ``input_ids`` int64 ``(1, tokens)`` → ``inputs_embeds``, scaled."""
    do = Operations(GraphWriter())
    given = do.writer.tensor(_IDS, (1, None), "int64")
    found = do.reshape(_embedded(do, shape, Matrices(read), given), (1, None, shape.hidden))
    return do.writer.finish({_IDS: given}, {_EMBEDS: found})


def _embedded(do: Operations, shape: DecoderShape, matrices: Matrices, given: Value) -> Value:
    """Rows of the table, ``(tokens, hidden)``."""
    rows = matrices.embed(do, EMBEDDING, do.cast(do.reshape(given, (None,)), "int32"))
    if shape.embedding_scale == 1:
        return rows
    return do.pair("MUL", rows, np.float32([shape.embedding_scale]))


class TextGraph:
    """Writes the graph of one model.

    Args:
        shape: of the model.
        context: most tokens, of prompt and answer together.
        read: gives each tensor as it shall be written.
        takes: ids, or their embeddings.
        both_ways: an input says whether a call's tokens look at each other both ways.
    """

    def __init__(
        self,
        shape: DecoderShape,
        context: int,
        read: Read,
        takes: Literal["ids", "embeddings"] = "ids",
        *,
        both_ways: bool = False,
    ) -> None:
        self._shape, self._context, self._read = shape, context, read
        self._matrices = Matrices(read)
        self._writer = GraphWriter()
        self._do = Operations(self._writer)
        if takes == "ids":
            given = self._writer.tensor(_IDS, (1, None), "int64")
            self._hidden = _embedded(self._do, shape, self._matrices, given)
        else:
            given = self._writer.tensor(_EMBEDS, (1, None, shape.hidden))
            self._hidden = self._do.reshape(given, (None, shape.hidden))
        self._inputs = {
            _IDS if takes == "ids" else _EMBEDS: given,
            "rows": self._writer.tensor("rows", (None,), "int64"),
            "seqlens_k": self._writer.tensor("seqlens_k", (1,), "int32"),
            "total_sequence_length": self._writer.tensor("total_sequence_length", (), "int32"),
        }
        if both_ways:
            self._inputs[BOTH_WAYS] = self._writer.tensor(BOTH_WAYS, (1,), "int32")
        self._positions = self._places()
        self._masks: dict[int | None, Value] = {}
        self._turns: dict[Rope, tuple[Value, Value]] = {}

    def write(self, advance: Callable[[], None] = lambda: None) -> bytes:
        """The file; ``advance`` is called once a layer, and once for the head."""
        shape, do = self._shape, self._do
        hidden = self._hidden
        inputs, presents = dict(self._inputs), {}
        for layer in range(shape.layers):
            past = []
            for kind in ("key", "value"):
                name = f"past.{layer}.{kind}"
                past.append(self._writer.tensor(name, (1, shape.kv_heads, self._context, shape.head_dim)))
                inputs[name] = past[-1]
            hidden, key, value = self._layer(layer, hidden, past)
            presents |= {f"present.{layer}.key": key, f"present.{layer}.value": value}
            advance()
        wanted = self._norm(do.gather(hidden, self._inputs["rows"]), LAST_NORM)
        logits = self._matrices.multiply(do, [EMBEDDING if shape.tied else HEAD], wanted)
        advance()
        return self._writer.finish(inputs, {"logits": logits, **presents})

    def _places(self) -> Value:
        """Positions of the call's tokens, ``(tokens,)`` int32; no lengths make them leave the tables."""
        do = self._do
        some = do.reshape(do.slice(self._hidden, 1, 0, 1), (None,))
        ones = do.cast(do.compare("GREATER_EQUAL", some, some), "int32")
        counted = do.apply(
            "CUMSUM", [ones, self._writer.small(np.array(0, np.int32))], (None,), _CUMSUM, "int32"
        )
        last = do.pair("SUB", self._inputs["total_sequence_length"], np.int32([1]))
        first = do.both("SUB", last, do.reduce("SUM", ones, 0, keep=True))
        places = do.pair("MAXIMUM", do.both("ADD", counted, first), np.int32([0]))
        return do.pair("MINIMUM", places, np.int32([self._context - 1]))

    def _layer(self, layer: int, hidden: Value, past: Sequence[Value]) -> tuple[Value, Value, Value]:
        shape, prefix = self._shape, f"layers.{layer}"
        read = self._norm(hidden, f"{prefix}.input_layernorm.weight")
        attended, key, value = self._attention(layer, read, past)
        if shape.post_norms:
            attended = self._norm(attended, f"{prefix}.post_attention_layernorm.weight")
        hidden = self._do.both("ADD", hidden, attended)
        fed = self._feed(layer, self._norm(hidden, f"{prefix}.pre_feedforward_layernorm.weight"))
        if shape.post_norms:
            fed = self._norm(fed, f"{prefix}.post_feedforward_layernorm.weight")
        return self._do.both("ADD", hidden, fed), key, value

    def _feed(self, layer: int, read: Value) -> Value:
        do, inner = self._do, self._shape.intermediate
        names = [f"layers.{layer}.mlp.{name}_proj.weight" for name in ("gate", "up")]
        gate, up = do.split(self._matrices.multiply(do, names, read), 1, (inner, inner))
        if self._shape.activation == "silu":
            active = do.both("MUL", gate, do.apply("LOGISTIC", [gate], gate.shape))
        else:
            active = do.apply("GELU", [gate], gate.shape, {"": "GeluOptions", "approximate": True})
        product = do.both("MUL", active, up)
        return self._matrices.multiply(do, [f"layers.{layer}.mlp.down_proj.weight"], product)

    def _attention(self, layer: int, read: Value, past: Sequence[Value]) -> tuple[Value, Value, Value]:
        """Attention over the past and the call's own tokens, whose keys and values it gives as well.

        Query heads that share a key lie one below the other.
        """
        do, shape = self._do, self._shape
        heads, groups, width = shape.heads, shape.kv_heads, shape.head_dim
        names = [f"layers.{layer}.self_attn.{name}_proj.weight" for name in "qkv"]
        flat = self._matrices.multiply(do, names, read)
        turned, value = do.split(
            do.reshape(flat, (None, heads + 2 * groups, width)), 1, (heads + groups, groups)
        )
        query, key = do.split(self._turn(layer, self._scaled(layer, turned)), 1, (heads, groups))
        query, key, value = (
            do.reshape(do.swap(part), (1, groups, None, width)) for part in (query, key, value)
        )
        scores = do.join([do.product(query, keys, turned=True) for keys in (past[0], key)], 3)
        scores = do.both("ADD", scores, self._mask(shape.windows[layer]))
        shares = do.apply("SOFTMAX", [scores], scores.shape, {"": "SoftmaxOptions", "beta": 1.0})
        before = do.product(do.slice(shares, 3, 0, self._context), past[1])
        own = do.product(do.slice(shares, 3, self._context, None), value)
        mixed = do.swap(do.reshape(do.both("ADD", before, own), (heads, None, width)))
        name = f"layers.{layer}.self_attn.o_proj.weight"
        return self._matrices.multiply(do, [name], do.reshape(mixed, (None, heads * width))), key, value

    def _scaled(self, layer: int, heads: Value) -> Value:
        """Queries with their factor, and queries and keys with their norm where the model has one."""
        shape, factor = self._shape, np.float32(self._shape.query_scale)
        if not shape.head_norms:
            scale = np.ones((shape.heads + shape.kv_heads, 1), np.float32)
            scale[: shape.heads] = factor
            return self._do.pair("MUL", heads, scale)
        names = [f"layers.{layer}.self_attn.{name}_norm.weight" for name in "qk"]
        query, key = (self._vector(name) for name in names)
        scale = np.concatenate([[query * factor] * shape.heads, [key] * shape.kv_heads]).astype(np.float32)
        return self._do.pair("MUL", self._normal(heads), scale)

    def _turn(self, layer: int, heads: Value) -> Value:
        """Rotary embedding of ``(tokens, heads, head_dim)``."""
        do, half = self._do, self._shape.head_dim // 2
        cosines, sines = self._turning(self._shape.ropes[layer])
        low, high = do.split(heads, 2, (half, half))
        first = do.both("SUB", do.both("MUL", low, cosines), do.both("MUL", high, sines))
        second = do.both("ADD", do.both("MUL", high, cosines), do.both("MUL", low, sines))
        return do.join([first, second], 2)

    def _turning(self, rope: Rope) -> tuple[Value, Value]:
        """Cosines and sines of the call's positions, ``(tokens, 1, head_dim / 2)``."""
        if rope not in self._turns:
            angles = rope_angles(rope, self._shape.head_dim, self._context)[:, None]
            tables = (self._writer.small(turn(angles)) for turn in (np.cos, np.sin))
            cosines, sines = (self._do.gather(table, self._positions) for table in tables)
            self._turns[rope] = cosines, sines
        return self._turns[rope]

    def _mask(self, window: int | None) -> Value:
        """What scores get added, 0 where a token may look: ``(heads of a key · tokens, context + tokens)``."""
        window = None if window is None or window >= self._context else window
        if window not in self._masks:
            do = self._do
            asked, own = (do.reshape(self._positions, shape) for shape in ((None, 1), (1, None)))
            known = self._writer.small(np.arange(self._context, dtype=np.int32)[None])
            column = do.pair("MUL", do.cast(asked, "float32"), np.float32([0]))
            before = do.both(
                "ADD", column, do.compare("GREATER_EQUAL", known, do.slice(self._positions, 0, 0, 1))
            )
            new = do.compare("LESS", asked, own)
            if (chosen := self._inputs.get(BOTH_WAYS)) is not None:
                causal = do.pair("SUB", do.cast(chosen, "float32"), np.float32([1]))
                new = do.both("MUL", new, do.pair("MUL", causal, np.float32([-1])))
            if window is not None:
                end = do.pair("SUB", asked, np.int32([window]))
                before = do.both("ADD", before, do.compare("GREATER_EQUAL", end, known))
                new = do.both("ADD", new, do.compare("GREATER_EQUAL", end, own))
            rows = do.pair("MUL", do.join([before, new], 1), _MASKED)
            group = self._shape.heads // self._shape.kv_heads
            self._masks[window] = do.join([rows] * group, 0)
        return self._masks[window]

    def _norm(self, source: Value, name: str) -> Value:
        return self._do.pair("MUL", self._normal(source), self._vector(name))

    def _vector(self, name: str) -> F32:
        found = self._read(name)
        assert isinstance(found, np.ndarray)
        return found

    def _normal(self, source: Value) -> Value:
        return self._do.rms_normal(source, self._shape.epsilon)
