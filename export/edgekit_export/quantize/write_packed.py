"""Writing a packed weight: the nodes that unpack it, which an engine folds when it loads the model."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from edgekit.types import Array
from edgekit_export.quantize.packed import Plane, pack
from edgekit_export.quantize.write_dynamic import Writer

_BYTE = 8


def write_packed(writer: Writer, name: str, stored: Array, bits: int) -> str:
    """The whole-number weight of a layer in float32.

    Args:
        writer: of the graph.
        name: of the layer.
        stored: codes in the shape that the operator reads.
        bits: 4 to 14.

    Returns:
        Name of a tensor of that shape.
    """
    planes = pack(stored, bits)
    total = _digits(writer, name, planes[0], stored.size)
    for plane in planes[1:]:
        above = writer.add("Mul", [total, _scalar(writer, name, 1 << plane.bits)], f"{name}.wm{plane.bits}")
        total = writer.add(
            "Add", [above, _digits(writer, name, plane, stored.size)], f"{name}.wa{plane.bits}"
        )
    centred = writer.add("Sub", [total, _scalar(writer, name, 1 << (bits - 1))], f"{name}.wc")
    shape = writer.const(f"{name}.wk", np.asarray(stored.shape, np.int64))
    return writer.add("Reshape", [centred, shape], f"{name}.wf")


def _digits(writer: Writer, name: str, plane: Plane, size: int) -> str:
    """The numbers of one plane in a row, ``(size,)`` float32."""
    prefix = f"{name}.w{plane.bits}"
    packed = writer.const(f"{prefix}p", plane.packed)
    rest = writer.add("Cast", [packed], f"{prefix}f", to=TensorProto.FLOAT)
    runs = []
    for j in range(_BYTE // plane.bits - 1):
        divided = writer.add("Mul", [rest, _scalar(writer, name, 2.0**-plane.bits)], f"{prefix}v{j}")
        above = writer.add("Floor", [divided], f"{prefix}r{j}")
        shifted = writer.add("Mul", [above, _scalar(writer, name, 1 << plane.bits)], f"{prefix}h{j}")
        runs.append(writer.add("Sub", [rest, shifted], f"{prefix}d{j}"))
        rest = above
    if not runs:
        return rest
    joined = writer.add("Concat", [*runs, rest], f"{prefix}c", axis=0)
    if size == (len(runs) + 1) * len(plane.packed):
        return joined
    ends = [
        writer.const(f"{name}.w{part}", np.asarray([end], np.int64)) for part, end in (("b", 0), ("e", size))
    ]
    return writer.add("Slice", [joined, *ends], f"{prefix}s")


def _scalar(writer: Writer, name: str, value: float) -> str:
    """A number; equal ones of all layers become one when the graph is assembled."""
    return writer.const(f"{name}.n{value}", np.asarray(value, np.float32))
