"""The TFLite graph of a vision tower and its connector, operator by operator: docs/decisions/tflite-text.md.

``pixel_values`` float32 ``(1, 3, size, size)`` → ``image_features`` float32 ``(1, tokens, output)``, as ONNX has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from edgekit.types import F32, Array
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
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.quantize.tiered import Tiered
from edgekit_export.tflite.operations import Operations
from edgekit_export.tflite.text_matrices import Matrices, Read
from edgekit_export.tflite.writer import GraphWriter, Value

PIXELS, FEATURES = "pixel_values", "image_features"


def vision_tflite(
    shape: VisionShape, size: int, read: Read, advance: Callable[[], None] = lambda: None
) -> bytes:
    """The tower and its connector, for pictures of one size.

    Args:
        shape: of the checkpoint.
        size: side of a tile in pixels.
        read: gives each tensor as it shall be stored: float32, or matrices in codes.
        advance: called after each layer, and after the connector.

    Raises:
        UsageError: the tower does not take this size.
    """
    return _VisionGraph(shape, size, read).write(advance)


class _VisionGraph:
    """Writes the graph of one model; rows are patches, ``(patches, hidden)``."""

    def __init__(self, shape: VisionShape, size: int, read: Read) -> None:
        self._shape, self._size, self._read = shape, size, read
        self._tokens = image_tokens(shape, size)
        self._grid = size // shape.patch
        self._matrices = Matrices(self._matrix)
        self._writer = GraphWriter()
        self._do = Operations(self._writer)

    def write(self, advance: Callable[[], None]) -> bytes:
        do = self._do
        pixels = self._writer.tensor(PIXELS, (1, 3, self._size, self._size))
        hidden = self._multiply([PATCH_WEIGHT], self._patches(pixels), [PATCH_BIAS])
        table = self._vector(POSITION)[position_rows(self._shape, self._size)]
        hidden = do.both("ADD", hidden, self._writer.constant(POSITION, table))
        for layer in range(self._shape.layers):
            prefix = f"vision.layers.{layer}"
            hidden = do.both("ADD", hidden, self._attention(prefix, hidden))
            hidden = do.both("ADD", hidden, self._feed(prefix, hidden))
            advance()
        joined = self._connected(self._norm(hidden, LAST_NORM))
        found = do.reshape(self._multiply([PROJECTION], joined), (1, self._tokens, self._shape.output))
        advance()
        return self._writer.finish({PIXELS: pixels}, {FEATURES: found})

    def _patches(self, pixels: Value) -> Value:
        """Numbers of each patch, in the order of the convolution's weights: ``(patches, 3 · patch²)``."""
        grid, patch = self._grid, self._shape.patch
        apart = self._do.reshape(pixels, (3, grid, patch, grid, patch))
        turned = self._do.turn(apart, (1, 3, 0, 2, 4))
        return self._do.reshape(turned, (grid * grid, 3 * patch * patch))

    def _attention(self, prefix: str, hidden: Value) -> Value:
        do, heads = self._do, self._shape.heads
        width, rows = self._shape.hidden // heads, self._grid**2
        names = [f"{prefix}.self_attn.{part}_proj" for part in "qkv"]
        flat = self._linear(names, self._norm(hidden, f"{prefix}.layer_norm1"))
        apart = do.swap(do.reshape(flat, (rows, 3 * heads, width)))
        query, rest = do.split(apart, 0, (heads, 2 * heads))
        key, value = do.split(rest, 0, (heads, heads))
        query = do.pair("MUL", query, np.float32([width**-0.5]))
        scores = do.product(query, key, turned=True)
        shares = do.apply("SOFTMAX", [scores], scores.shape, {"": "SoftmaxOptions", "beta": 1.0})
        mixed = do.reshape(do.swap(do.product(shares, value)), (rows, heads * width))
        return self._linear([f"{prefix}.self_attn.out_proj"], mixed)

    def _feed(self, prefix: str, hidden: Value) -> Value:
        inner = self._linear([f"{prefix}.mlp.fc1"], self._norm(hidden, f"{prefix}.layer_norm2"))
        active = self._do.apply("GELU", [inner], inner.shape, {"": "GeluOptions", "approximate": True})
        return self._linear([f"{prefix}.mlp.fc2"], active)

    def _connected(self, hidden: Value) -> Value:
        """What the projection reads: patches of a square side by side, or their mean, normed."""
        do, shape = self._do, self._shape
        scale, across = shape.scale, self._grid // shape.scale
        squares = do.reshape(hidden, (across, scale, across, scale, shape.hidden))
        if shape.connector == "pixel_shuffle":
            together = do.turn(squares, (0, 2, 1, 3, 4))
            return do.reshape(together, (self._tokens, scale * scale * shape.hidden))
        mean = do.reduce("MEAN", do.reduce("MEAN", squares, 3), 1)
        return do.pair("MUL", do.rms_normal(do.reshape(mean, (self._tokens, shape.hidden)), shape.epsilon),
                       self._vector(CONNECTOR_NORM))  # fmt: skip

    def _linear(self, names: Sequence[str], source: Value) -> Value:
        return self._multiply(
            [f"{name}.weight" for name in names], source, [f"{name}.bias" for name in names]
        )

    def _multiply(self, weights: Sequence[str], source: Value, biases: Sequence[str] = ()) -> Value:
        found = self._matrices.multiply(self._do, weights, source)
        if not biases:
            return found
        return self._do.pair("ADD", found, np.concatenate([self._vector(name) for name in biases]))

    def _norm(self, source: Value, name: str) -> Value:
        """Layer norm over the last axis (Ba et al. 2016)."""
        do = self._do
        centred = do.both("SUB", source, do.reduce("MEAN", source, 1, keep=True))
        scaled = do.pair("MUL", do.rms_normal(centred, self._shape.epsilon), self._vector(f"{name}.weight"))
        return do.pair("ADD", scaled, self._vector(f"{name}.bias"))

    def _matrix(self, name: str) -> F32 | Blockwise | Tiered:
        found = self._read(name)
        return found.reshape(len(found), -1) if isinstance(found, np.ndarray) else found

    def _vector(self, name: str) -> Array:
        found = self._read(name)
        assert isinstance(found, np.ndarray)
        return found.astype(np.float32)  # positions may be stored in float16
