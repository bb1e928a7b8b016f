"""The decoder's graph: embeddings of some tokens in, scores of the next token out, keys and values in place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgekit.types import F32
from edgekit_export.architectures.shape import EMBEDDING, HEAD, LAST_NORM, DecoderShape, Rope
from edgekit_export.language.both_ways import BOTH_WAYS, EMBEDS, TOTAL, BothWays
from edgekit_export.language.graph_writer import CONTRIB, GraphWriter
from edgekit_export.language.head import write_head
from edgekit_export.language.linear import Weight, write_linear

Read = Callable[[str], Weight]
"""Gives a tensor by its name, as it shall be written."""

_ROWS, _LAST, _LOGITS = "rows", "seqlens_k", "logits"


class DecoderGraph:
    """Writes one decoder; see docs/text-models.md for what goes in and out.

    Args:
        shape: of the model.
        context: most tokens, of prompt and answer together: the length of the rope tables.
        read: gives the tensors.
        writer: takes nodes and weights.
        both_ways: calls can say that their tokens look at each other both ways; see
            :mod:`edgekit_export.language.both_ways`.
    """

    def __init__(
        self, shape: DecoderShape, context: int, read: Read, writer: GraphWriter, *, both_ways: bool = False
    ) -> None:
        self._shape, self._context, self._read, self._writer = shape, context, read, writer
        windows = [self._window(layer) for layer in range(shape.layers)]
        self._both_ways = BothWays(shape, windows, writer) if both_ways else None

    def write(self, advance: Callable[[], None]) -> onnx.ModelProto:
        """The whole graph; ``advance`` is called after each layer."""
        total = self._tokens(EMBEDS, "tokens")
        normed = self._norm(total, "layers.0.input_layernorm")
        for layer in range(self._shape.layers):
            normed, total = self._layer(layer, normed, total)
            advance()
        self._head(normed)
        advance()
        return self._writer.model("decode", self._inputs(), self._outputs())

    def _layer(self, layer: int, normed: str, total: str) -> tuple[str, str]:
        """Attention and feed-forward; gives what the next layer reads, normed, and the sum so far."""
        shape, prefix = self._shape, f"layers.{layer}"
        attended = self._attention(layer, normed)
        if shape.post_norms:
            attended = self._norm(attended, f"{prefix}.post_attention_layernorm")
        normed, total = self._add_norm(attended, total, f"{prefix}.pre_feedforward_layernorm")
        fed = self._feed_forward(prefix, normed)
        if shape.post_norms:
            fed = self._norm(fed, f"{prefix}.post_feedforward_layernorm")
        last = layer == shape.layers - 1
        following = LAST_NORM.removesuffix(".weight") if last else f"layers.{layer + 1}.input_layernorm"
        return self._add_norm(fed, total, following)

    def _attention(self, layer: int, normed: str) -> str:
        shape, writer, prefix = self._shape, self._writer, f"layers.{layer}.self_attn"
        weights = [self._read(f"{prefix}.{part}_proj.weight") for part in "qkv"]
        joined = write_linear(writer, f"{prefix}.qkv", normed, weights)
        given = self._normed_heads(prefix, joined) if shape.head_norms else [self._sequence(joined), "", ""]
        past = [f"past.{layer}.{part}" for part in ("key", "value")]
        present = [f"present.{layer}.{part}" for part in ("key", "value")]
        tables = self._rope(shape.ropes[layer])
        name = f"{prefix}.attended"
        writer.add(
            "GroupQueryAttention",
            [*given, *past, _LAST, TOTAL, *tables],
            [name, *present],
            CONTRIB,
            num_heads=shape.heads,
            kv_num_heads=shape.kv_heads,
            scale=shape.query_scale,
            do_rotary=1,
            local_window_size=self._window(layer),
        )
        if self._both_ways is not None:
            name = self._both_ways.attend(layer, name, given[0], present, tables)
        flat = self._tokens(name, f"{name}.tokens")
        return write_linear(writer, f"{prefix}.o_proj", flat, [self._read(f"{prefix}.o_proj.weight")])

    def _window(self, layer: int) -> int | None:
        """Tokens that a layer looks back at, where that is not all there can be."""
        window = self._shape.windows[layer]
        return window if window is not None and window < self._context else None

    def _normed_heads(self, prefix: str, joined: str) -> list[str]:
        """Queries, keys and values apart, the first two with each head normed."""
        shape, writer = self._shape, self._writer
        widths = [shape.heads * shape.head_dim, *[shape.kv_heads * shape.head_dim] * 2]
        apart = [f"{prefix}.{part}" for part in "qkv"]
        sizes = writer.constant("qkv.widths", np.asarray(widths, np.int64))
        writer.add("Split", [joined, sizes], apart, axis=-1)
        normed = []
        for name, norm, width in zip(apart, ("q_norm", "k_norm"), widths, strict=False):
            heads = self._reshaped(name, f"{name}.heads", [0, -1, shape.head_dim])
            flat = self._norm(heads, f"{prefix}.{norm}")
            normed.append(self._sequence(self._reshaped(flat, f"{name}.normed", [0, width])))
        return [*normed, self._sequence(apart[2])]

    def _sequence(self, tokens: str) -> str:
        """``(tokens, width)`` as attention takes it, ``(1, tokens, width)``."""
        return self._writer.add("Unsqueeze", [tokens, self._first_axis()], f"{tokens}.sequence")

    def _tokens(self, sequence: str, name: str) -> str:
        """``(1, tokens, width)`` as products take it, ``(tokens, width)``.

        Not by ``Reshape`` to ``(-1, width)``: of a first dimension that it cannot name the engine's planner uses no
        array twice, and takes 0.15 s longer to find that out.
        """
        return self._writer.add("Squeeze", [sequence, self._first_axis()], name)

    def _first_axis(self) -> str:
        return self._writer.constant("first", np.asarray([0], np.int64))

    def _feed_forward(self, prefix: str, normed: str) -> str:
        shape, writer, name = self._shape, self._writer, f"{prefix}.mlp"
        gate, up = (  # one product would have to be split, and its minima's part cost five times as much
            write_linear(writer, f"{name}.{part}", normed, [self._read(f"{name}.{part}_proj.weight")])
            for part in ("gate", "up")
        )
        if shape.activation == "silu":
            active = writer.add("QuickGelu", [gate], f"{name}.active", CONTRIB, alpha=1.0)
        else:
            active = writer.add("Gelu", [gate], f"{name}.active", approximate="tanh")
        gated = writer.add("Mul", [active, up], f"{name}.gated")
        return write_linear(writer, f"{name}.down_proj", gated, [self._read(f"{name}.down_proj.weight")])

    def _head(self, normed: str) -> None:
        """Scores after the tokens that were asked for: the head of a large vocabulary costs most of a prompt."""
        shape, writer = self._shape, self._writer
        wanted = writer.add("Gather", [normed, _ROWS], "wanted", axis=0)
        name = EMBEDDING if shape.tied else HEAD
        write_head(writer, _LOGITS, wanted, self._read(name), key=name)

    def _rope(self, rope: Rope) -> list[str]:
        names = [f"rope{rope.theta!r}.{rope.factor!r}.{part}" for part in ("cos", "sin")]
        angles = rope_angles(rope, self._shape.head_dim, self._context)
        for name, table in zip(names, (np.cos(angles), np.sin(angles)), strict=True):
            self._writer.constant(name, table)
        return names

    def _norm(self, source: str, name: str) -> str:
        scale = self._scale(name)
        return self._writer.add(
            "SimplifiedLayerNormalization",
            [source, scale],
            f"{name}.out",
            axis=-1,
            epsilon=self._shape.epsilon,
        )

    def _add_norm(self, first: str, second: str, name: str) -> tuple[str, str]:
        """The sum, normed, and the sum."""
        outputs = [f"{name}.out", "", "", f"{name}.sum"]
        inputs = [first, second, self._scale(name)]
        epsilon = self._shape.epsilon
        self._writer.add("SkipSimplifiedLayerNormalization", inputs, outputs, CONTRIB, epsilon=epsilon)
        return outputs[0], outputs[3]

    def _scale(self, name: str) -> str:
        weight = self._read(f"{name}.weight")
        assert isinstance(weight, np.ndarray)
        return self._writer.constant(f"{name}.weight", weight)

    def _reshaped(self, source: str, name: str, dims: list[int]) -> str:
        shape = self._writer.constant(f"dims{dims}", np.asarray(dims, np.int64))
        return self._writer.add("Reshape", [source, shape], name)

    def _inputs(self) -> list[onnx.ValueInfoProto]:
        value, shape = helper.make_tensor_value_info, self._shape
        return [
            value(EMBEDS, TensorProto.FLOAT, [1, "tokens", shape.hidden]),
            value(_ROWS, TensorProto.INT64, ["rows"]),
            value(_LAST, TensorProto.INT32, [1]),
            value(TOTAL, TensorProto.INT32, []),
            *([] if self._both_ways is None else [value(BOTH_WAYS, TensorProto.INT32, [1])]),
            *self._kept("past"),
        ]

    def _outputs(self) -> list[onnx.ValueInfoProto]:
        scores = helper.make_tensor_value_info(_LOGITS, TensorProto.FLOAT, ["rows", self._shape.vocabulary])
        return [scores, *self._kept("present")]

    def _kept(self, which: str) -> list[onnx.ValueInfoProto]:
        dims = [1, self._shape.kv_heads, "capacity", self._shape.head_dim]
        names = [f"{which}.{i}.{part}" for i in range(self._shape.layers) for part in ("key", "value")]
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name in names]


def rope_angles(rope: Rope, head_dim: int, context: int) -> F32:
    """Angle of each position and pair of elements, all in float32 as transformers computes them.

    Returns:
        ``(context, head_dim / 2)`` float32, radians.
    """
    exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    frequencies = (np.float32(1) / np.float32(rope.theta) ** exponents) / np.float32(rope.factor)
    angles: F32 = np.arange(context, dtype=np.float32)[:, None] * frequencies[None]
    return angles
