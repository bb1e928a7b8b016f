"""Codes of other widths than the engine multiplies by: stored as wide as they are, widened when the graph is loaded.

All in uint8, so that an engine which folds constants does it once, with little memory beside.
"""

from __future__ import annotations

import numpy as np

from edgekit.types import U8
from edgekit_export.language.container import NARROW, Container, packed_rows
from edgekit_export.language.graph_writer import GraphWriter
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.quantize.packed import Plane, pack

_BYTE = 8


def write_codes(
    writer: GraphWriter, name: str, weight: Blockwise, held: Container, dims: tuple[int, ...]
) -> str:
    """The container's codes in whole bytes, in the shape ``dims``.

    Args:
        writer: of the graph.
        name: of the weight; also the key of its bytes, for a table that two graphs read.
        weight: as stored.
        held: as the engine takes it.
        dims: of the result; as many bytes as the packed codes have.
    """
    if weight.bits == held.bits:
        packed = packed_rows(held.codes, held.bits).reshape(dims)
        return writer.constant(f"{name}.codes", packed, key=f"{name}.codes")
    codes = weight.codes.reshape(-1)
    if held.bits == NARROW:  # each byte takes its first code from the first half, its second from the other
        codes = np.concatenate([codes[0::2], codes[1::2]])
    wide = write_numbers(writer, name, codes, weight.bits)
    if held.bits == NARROW:
        wide = _nibbles(writer, name, wide)
    shape = writer.constant(f"{name}.dims", np.asarray(dims, np.int64))
    return writer.add("Reshape", [wide, shape], f"{name}.codes")


def write_numbers(writer: GraphWriter, name: str, values: U8, bits: int) -> str:
    """Whole numbers of ``bits`` bits, a byte each, out of their planes.

    Args:
        writer: of the graph.
        name: of what they are; also the key of their bytes.
        values: ``(size,)`` uint8.
        bits: that hold each.

    Returns:
        Name of ``(size,)`` uint8.
    """
    planes = pack(values.astype(np.int16) - (1 << (bits - 1)), bits)
    total = _digits(writer, name, planes[0], values.size)
    for plane in planes[1:]:
        above = _up(writer, total, plane.bits, f"{name}.up{plane.bits}")
        low = _digits(writer, name, plane, values.size)
        total = writer.add("BitwiseOr", [above, low], f"{name}.or{plane.bits}")
    return total


def _digits(writer: GraphWriter, name: str, plane: Plane, size: int) -> str:
    """A plane's digits, ``(size,)`` uint8: all shifts of all bytes at once are its runs, one below the other."""
    prefix = f"{name}.{plane.bits}"
    packed = writer.constant(prefix, plane.packed[None], key=prefix)
    shifts = np.arange(0, _BYTE, plane.bits, dtype=np.uint8)[:, None]
    by = writer.constant(f"shifts{plane.bits}", shifts)
    runs = writer.add("BitShift", [packed, by], f"{prefix}s", direction="RIGHT")
    digits = writer.add("BitwiseAnd", [runs, _byte(writer, (1 << plane.bits) - 1)], f"{prefix}d")
    flat = writer.add("Reshape", [digits, writer.constant("flat", np.asarray([-1], np.int64))], f"{prefix}f")
    if len(shifts) * len(plane.packed) == size:
        return flat
    ends = [writer.constant(f"at{at}", np.asarray([at], np.int64)) for at in (0, size)]
    return writer.add("Slice", [flat, *ends], f"{prefix}c")


def _nibbles(writer: GraphWriter, name: str, codes: str) -> str:
    first, second = f"{name}.first", f"{name}.second"
    writer.add("Split", [codes], [first, second], axis=0, num_outputs=2)
    high = _up(writer, second, NARROW, f"{name}.high")
    return writer.add("BitwiseOr", [first, high], f"{name}.nibbles")


def _up(writer: GraphWriter, source: str, by: int, name: str) -> str:
    return writer.add("BitShift", [source, _byte(writer, by)], name, direction="LEFT")


def _byte(writer: GraphWriter, value: int) -> str:
    return writer.constant(f"byte{value}", np.asarray([value], np.uint8))
