"""A vision tower and its connector as one graph of fixed size: a picture in, embeddings of its tokens out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgekit.types import Array
from edgekit_export.architectures.vision import (
    CONNECTOR_NORM,
    LAST_NORM,
    PATCH_BIAS,
    PATCH_WEIGHT,
    POSITION,
    PROJECTION,
    VisionShape,
    image_tokens,
    position_rows,
)
from edgekit_export.language.graph_writer import CONTRIB, GraphWriter
from edgekit_export.language.linear import float32
from edgekit_export.quantize.tiered import Tiered
from edgekit_export.vision.product import VisionWeight, write_products

ReadVision = Callable[[str], VisionWeight]
"""Gives a tensor by its name, as it shall be written; positions may be float16. The patches' weight may be in codes,
``(hidden, 3 · patch²)``."""

PIXELS, FEATURES = "pixel_values", "image_features"


class VisionGraph:
    """Writes one tower for one size of picture. Every dimension is a number: the engine plans memory once.

    Args:
        shape: of the model.
        size: side of the picture in pixels.
        read: gives the tensors.
        writer: takes nodes and weights; graphs of several sizes may share its file, and what is equal is stored once.

    Raises:
        UsageError: the tower has no positions for such a size.
    """

    def __init__(self, shape: VisionShape, size: int, read: ReadVision, writer: GraphWriter) -> None:
        self._shape, self._size, self._read, self._writer = shape, size, read, writer
        self._tokens, self._grid = image_tokens(shape, size), size // shape.patch

    def write(self, advance: Callable[[], None]) -> onnx.ModelProto:
        """The whole graph; ``advance`` is called after each layer, and once for the connector."""
        total = self._patches()
        normed = self._norm(total, "vision.layers.0.layer_norm1")
        for layer in range(self._shape.layers):
            normed, total = self._layer(layer, normed, total)
            advance()
        self._connector(normed)
        advance()
        size = [1, 3, self._size, self._size]
        pixels = helper.make_tensor_value_info(PIXELS, TensorProto.FLOAT, size)
        tokens = [1, self._tokens, self._shape.output]
        features = helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, tokens)
        return self._writer.model("vision", [pixels], [features])

    def _patches(self) -> str:
        """Each patch's pixels times the weight of what is a convolution without overlap, and the patch's position."""
        shape, writer, grid = self._shape, self._writer, self._grid
        apart = self._reshaped(PIXELS, "patches.apart", [3, grid, shape.patch, grid, shape.patch])
        rows = writer.add("Transpose", [apart], "patches.rows", perm=[1, 3, 0, 2, 4])
        flat = self._reshaped(rows, "patches", [1, grid * grid, 3 * shape.patch**2])
        weight = self._read(PATCH_WEIGHT)
        if not isinstance(weight, Tiered):
            weight = weight.reshape(shape.hidden, -1)
        embedded = write_products(writer, flat, ["vision.patch"], [weight])[0]
        table = self._floats(POSITION)[position_rows(shape, self._size)]
        placed = (table + self._floats(PATCH_BIAS)).astype(table.dtype)[None]
        positions = float32(writer, f"{POSITION}.{grid}", placed)
        return writer.add("Add", [embedded, positions], "vision.placed")

    def _layer(self, layer: int, normed: str, total: str) -> tuple[str, str]:
        """Attention and feed-forward; gives what the next layer reads, normed, and the sum so far."""
        prefix = f"vision.layers.{layer}"
        attended = self._attention(prefix, normed)
        normed, total = self._add_norm(
            attended, total, f"{prefix}.self_attn.out_proj.bias", f"{prefix}.layer_norm2"
        )
        fed = self._feed_forward(prefix, normed)
        last = layer == self._shape.layers - 1
        following = LAST_NORM if last else f"vision.layers.{layer + 1}.layer_norm1"
        return self._add_norm(fed, total, f"{prefix}.mlp.fc2.bias", following)

    def _attention(self, prefix: str, normed: str) -> str:
        writer, names = self._writer, [f"{prefix}.self_attn.{part}_proj" for part in "qkv"]
        given = self._products(normed, names)
        bias = np.concatenate([self._floats(f"{name}.bias") for name in names])
        name = f"{prefix}.self_attn.qkv.bias"
        biases = writer.constant(name, bias, key=name)
        attended = writer.add(
            "MultiHeadAttention",
            [*given, biases],
            f"{prefix}.attended",
            CONTRIB,
            num_heads=self._shape.heads,
        )
        return self._products(attended, [f"{prefix}.self_attn.out_proj"])[0]

    def _feed_forward(self, prefix: str, normed: str) -> str:
        wide = self._products(normed, [f"{prefix}.mlp.fc1"])[0]
        bias = self._vector(f"{prefix}.mlp.fc1.bias")
        active = self._writer.add("FastGelu", [wide, bias], f"{prefix}.mlp.active", CONTRIB)
        return self._products(active, [f"{prefix}.mlp.fc2"])[0]

    def _connector(self, normed: str) -> None:
        """Neighbouring patches to one token of the decoder's."""
        shape, writer = self._shape, self._writer
        side, scale = self._grid // shape.scale, shape.scale
        if shape.connector == "pixel_shuffle":
            apart = self._reshaped(normed, "connector.apart", [side, scale, side, scale * shape.hidden])
            together = writer.add("Transpose", [apart], "connector.together", perm=[0, 2, 1, 3])
            dims = [1, self._tokens, scale * scale * shape.hidden]
            joined = self._reshaped(together, "connector.tokens", dims)
        else:
            joined = self._pooled(normed, side)
        write_products(writer, joined, [FEATURES], [self._read(PROJECTION)])

    def _pooled(self, normed: str, side: int) -> str:
        """Means of squares of patches, normed."""
        shape, writer = self._shape, self._writer
        apart = self._reshaped(
            normed, "connector.apart", [side, shape.scale, side, shape.scale, shape.hidden]
        )
        axes = writer.constant("connector.axes", np.asarray([1, 3], np.int64))
        mean = writer.add("ReduceMean", [apart, axes], "connector.mean", keepdims=0)
        tokens = self._reshaped(mean, "connector.tokens", [1, self._tokens, shape.hidden])
        scale = self._vector(CONNECTOR_NORM)
        return writer.add(
            "SimplifiedLayerNormalization",
            [tokens, scale],
            "connector.normed",
            axis=-1,
            epsilon=shape.epsilon,
        )

    def _products(self, source: str, names: Sequence[str]) -> list[str]:
        return write_products(self._writer, source, names, [self._read(f"{name}.weight") for name in names])

    def _norm(self, source: str, name: str) -> str:
        inputs = [source, *(self._vector(f"{name}.{part}") for part in ("weight", "bias"))]
        epsilon = self._shape.epsilon
        return self._writer.add("LayerNormalization", inputs, f"{name}.out", axis=-1, epsilon=epsilon)

    def _add_norm(self, first: str, second: str, bias: str, name: str) -> tuple[str, str]:
        """The sum with a bias, normed, and the sum."""
        outputs = [f"{name}.out", "", "", f"{name}.sum"]
        inputs = [first, second, *(self._vector(part) for part in (f"{name}.weight", f"{name}.bias", bias))]
        epsilon = self._shape.epsilon
        self._writer.add("SkipLayerNormalization", inputs, outputs, CONTRIB, epsilon=epsilon)
        return outputs[0], outputs[3]

    def _vector(self, name: str) -> str:
        return self._writer.constant(name, self._floats(name), key=name)

    def _floats(self, name: str) -> Array:
        found = self._read(name)
        assert isinstance(found, np.ndarray)
        return found

    def _reshaped(self, source: str, name: str, dims: list[int]) -> str:
        shape = self._writer.constant(f"dims{dims}", np.asarray(dims, np.int64))
        return self._writer.add("Reshape", [source, shape], name)
