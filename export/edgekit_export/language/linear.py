"""Products with weights: of one matrix, or of several that read the same tensor, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from onnx import TensorProto

from edgekit.types import F32, Array
from edgekit_export.language.container import NARROW, Container, container_of, packed_rows
from edgekit_export.language.graph_writer import CONTRIB, GraphWriter
from edgekit_export.language.planes import write_codes, write_numbers
from edgekit_export.quantize.blockwise import Blockwise

Weight = F32 | Blockwise

ACCURACY_LEVEL = 4
"""Of ``MatMulNBits``: inputs are multiplied in 8-bit codes, with a scale of their own for each block."""


def write_linear(writer: GraphWriter, name: str, source: str, weights: Sequence[Weight]) -> str:
    """``source · weightᵀ``, the outputs of several weights side by side.

    Args:
        writer: of the graph.
        name: of the result.
        source: ``(tokens, k)`` float32.
        weights: ``(n, k)`` each.

    Returns:
        Name of ``(tokens, Σ n)`` float32.
    """
    joined = joined_weights(weights)
    if joined is not None:
        return write_product(writer, name, source, joined)
    parts = [write_product(writer, f"{name}.{i}", source, weight) for i, weight in enumerate(weights)]
    return writer.add("Concat", parts, name, axis=-1)


def joined_weights(weights: Sequence[Weight]) -> Weight | None:
    """One above the other, if they are of one form; else ``None``."""
    first = weights[0]
    if len(weights) == 1:
        return first
    if all(isinstance(weight, np.ndarray) for weight in weights):
        return np.concatenate([weight for weight in weights if isinstance(weight, np.ndarray)])
    coded = [weight for weight in weights if isinstance(weight, Blockwise)]
    if len(coded) != len(weights) or len({_form(weight) for weight in coded}) != 1:
        return None
    assert isinstance(first, Blockwise)
    return replace(
        first,
        codes=np.concatenate([weight.codes for weight in coded]),
        scales=np.concatenate([weight.scales for weight in coded]),
        zeros=first.zeros if isinstance(first.zeros, int) else _stacked([weight.zeros for weight in coded]),
        minima=None if first.minima is None else _stacked([weight.minima for weight in coded]),
    )


def _form(weight: Blockwise) -> tuple[object, ...]:
    zeros = weight.zeros if isinstance(weight.zeros, int) else "each"
    minima = None if weight.minima is None else weight.minima.dtype.str
    return weight.bits, weight.block, zeros, weight.scales.dtype.str, minima


def _stacked(parts: Sequence[Array | int | None]) -> Array:
    return np.concatenate([part for part in parts if isinstance(part, np.ndarray)])


def write_product(writer: GraphWriter, name: str, source: str, weight: Weight, key: str = "") -> str:
    """``source · weightᵀ`` of one weight.

    Args:
        writer: of the graph.
        name: of the result.
        source: ``(tokens, k)`` float32.
        weight: ``(n, k)``.
        key: name of the weight's bytes where another graph reads them too; ``name`` otherwise.
    """
    key = key or name
    if isinstance(weight, Blockwise):
        return _blockwise(writer, name, source, weight, key)
    if key != name:  # the table of an embedding, as it lies
        table = writer.constant(f"{key}.table", weight, key=f"{key}.table")
        return writer.add("Gemm", [source, table], name, transB=1)
    return writer.add(
        "MatMul", [source, writer.constant(f"{name}.weight", np.ascontiguousarray(weight.T))], name
    )


def _blockwise(writer: GraphWriter, name: str, source: str, weight: Blockwise, key: str) -> str:
    n, k = weight.shape
    held, blocks = container_of(weight), k // weight.block
    codes = write_codes(writer, key, weight, held, (n, blocks, weight.block * held.bits // 8))
    inputs = [source, codes, write_scales(writer, key, weight)]
    if held.zeros is not None:
        inputs.append(write_zeros(writer, key, held, weight.bits, (n, blocks)))
    attributes = {"K": k, "N": n, "bits": held.bits, "block_size": weight.block}
    whole = name if weight.minima is None else f"{name}.whole"
    writer.add("MatMulNBits", inputs, whole, CONTRIB, accuracy_level=ACCURACY_LEVEL, **attributes)
    if weight.minima is None:
        return name
    sums = _block_sums(writer, source, blocks, weight.block)
    lifted = _lifted_minima(writer, key, weight, held.lifted)
    return writer.add("Gemm", [sums, lifted, whole], name)


def _lifted_minima(writer: GraphWriter, key: str, weight: Blockwise, lifted: int) -> str:
    """``(m + d · lifted)ᵀ``, ``(k / block, n)`` float32; one node, since all that is folded is in memory at once."""
    assert weight.minima is not None
    minima = float32(writer, f"{key}.minima", np.ascontiguousarray(weight.minima.T))
    if not lifted:
        return minima
    blocks = weight.minima.shape[1]
    unit = writer.constant(f"unit{blocks}", np.eye(blocks, dtype=np.float32))
    given = [unit, write_scales(writer, key, weight), minima]
    return writer.add("Gemm", given, f"{key}.lifted", transB=1, alpha=float(lifted))


def write_zeros(writer: GraphWriter, key: str, held: Container, bits: int, dims: tuple[int, int]) -> str:
    """The zero points of ``(n, k / block)`` blocks, packed as the engine takes them.

    Those of ``bits`` bits are stored as wide as that where the engine takes bytes; one for all is spread at load.
    """
    name = f"{key}.zeros"
    if not isinstance(held.zeros, int):
        assert held.zeros is not None
        if held.bits == NARROW or bits == held.bits:
            return writer.constant(name, packed_rows(held.zeros, held.bits), key=name)
        wide = write_numbers(writer, name, held.zeros.reshape(-1), bits)
        shape = writer.constant(f"{name}.dims", np.asarray(dims, np.int64))
        return writer.add("Reshape", [wide, shape], name)
    row = packed_rows(np.full((1, dims[1]), held.zeros, np.uint8), held.bits)
    shape = writer.constant(f"zeros{dims[0]}.{row.shape[1]}", np.asarray([dims[0], row.shape[1]], np.int64))
    name = f"zero{held.zeros}.{dims[0]}.{dims[1]}"
    if writer.has(name):
        return name
    return writer.add("Expand", [writer.constant(f"{name}.row", row[:, :1]), shape], name)


def write_scales(writer: GraphWriter, key: str, weight: Blockwise) -> str:
    """The scales in float32, stored as they are."""
    return float32(writer, f"{key}.scales", weight.scales)


def float32(
    writer: GraphWriter, name: str, values: Array, key: str = "", rows: tuple[int, int] | None = None
) -> str:
    """Stored numbers, or some rows of them, in float32; see :meth:`GraphWriter.constant`."""
    key = key or name
    if values.dtype == np.float32:
        return writer.constant(name, values, key, rows)
    stored = writer.constant(f"{name}.stored", values, key, rows)
    return name if writer.has(name) else writer.add("Cast", [stored], name, to=TensorProto.FLOAT)


def _block_sums(writer: GraphWriter, source: str, blocks: int, block: int) -> str:
    """Sums of a tensor's blocks, written once for all products that read it."""
    name = f"{source}.sums{block}"
    if writer.has(name):
        return name
    shape = writer.constant(f"blocks{blocks}.{block}", np.asarray([0, blocks, block], np.int64))
    apart = writer.add("Reshape", [source, shape], f"{source}.blocks{block}")
    axes = writer.constant("last", np.asarray([-1], np.int64))
    return writer.add("ReduceSum", [apart, axes], name, keepdims=0)
