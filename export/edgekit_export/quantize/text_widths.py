"""Which width each matrix of a text model is stored in: the least divergence within a number of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, prod

from edgekit.errors import DataError
from edgekit_export.architectures.architecture import tensor_shapes
from edgekit_export.architectures.shape import EMBEDDING, HEAD, MATRICES, DecoderShape
from edgekit_export.budget.knapsack import Option, allocate
from edgekit_export.quantize.block_grid import Format

FORMATS = tuple(
    Format(bits, block, symmetric)
    for bits in (3, 4, 5, 6, 7, 8)
    for block in (32, 64)
    for symmetric in (False, True)
)
"""What is chosen among. The engine multiplies by 4 and 8 bits; the others are stored as wide as they are and widened
when the graph is loaded. A float minimum a block (16 bits, for a whole zero point's 3 to 8) never pays here: at equal
bytes smaller blocks do more (docs/decisions/text-quantiser.md)."""

_STAGES = (MATRICES[:3], MATRICES[3:4], MATRICES[4:6], MATRICES[6:])
"""Matrices that read the same are one product of the engine, if they are of one form: they get one."""


def matrix_sizes(shape: DecoderShape) -> dict[str, tuple[int, int]]:
    """``(outputs, inputs)`` of everything that is stored in codes."""
    return {name: (size[0], size[1]) for name, size in tensor_shapes(shape).items() if len(size) == 2}


def stages(shape: DecoderShape) -> list[tuple[str, ...]]:
    """Names of the tensors that share a format: the embedding, an untied head, four stages a layer."""
    outside = [(EMBEDDING,)] if shape.tied else [(EMBEDDING,), (HEAD,)]
    return outside + [
        tuple(f"layers.{index}.{name}.weight" for name in stage)
        for index in range(shape.layers)
        for stage in _STAGES
    ]


def choose_formats(
    shape: DecoderShape,
    costs: Mapping[str, Sequence[float]],
    max_bytes: int,
    formats: Sequence[Format] = FORMATS,
) -> dict[str, Format]:
    """The format of each matrix with which the sum of the costs is least.

    Args:
        shape: of the model.
        costs: matrix → divergence that each format adds; infinite where it does not fit.
        max_bytes: of all codes, scales and zero points together.
        formats: in the costs' order.

    Raises:
        DataError: nothing that is made is so small; the message has the arithmetic.
    """
    sizes, table = matrix_sizes(shape), []
    for names in stages(shape):
        noise = [sum(costs[name][j] for name in names) for j in range(len(formats))]
        table.append(
            [
                (form, Option(sum(form.stored_bytes(*sizes[name]) for name in names), cost))
                for form, cost in zip(formats, noise, strict=True)
                if isfinite(cost)
            ]
        )
    if max_bytes < sum(min(option.bytes for _, option in row) for row in table):
        raise DataError(*too_small(shape, max_bytes))
    chosen = allocate([[option for _, option in row] for row in table], max_bytes)
    if chosen is None:
        raise DataError(*too_small(shape, max_bytes))
    return {
        name: row[j][0] for names, row, j in zip(stages(shape), table, chosen, strict=True) for name in names
    }


def weights_in_codes(shape: DecoderShape) -> int:
    """How many numbers are stored in codes; a tied head is counted once."""
    return sum(prod(size) for size in matrix_sizes(shape).values())


def smallest_bytes(shape: DecoderShape, formats: Sequence[Format] = FORMATS) -> int:
    """Bytes of all matrices in the narrowest formats.

    Raises:
        DataError: no block divides a matrix' inputs.
    """
    return sum(_narrowest(name, size, formats) for name, size in matrix_sizes(shape).items())


def _narrowest(name: str, size: tuple[int, int], formats: Sequence[Format]) -> int:
    fitting = [form.stored_bytes(*size) for form in formats if size[1] % form.block == 0]
    if not fitting:
        blocks = sorted({form.block for form in formats})
        raise DataError(
            f"{name}: expected inputs that blocks of {', '.join(map(str, blocks))} divide, got {size[1]}",
            "keep this model in full precision",
        )
    return min(fitting)


def too_small(shape: DecoderShape, max_bytes: int, other_bytes: int = 0) -> tuple[str, str]:
    """Why a size cannot be reached, as arithmetic, and what can.

    Args:
        shape: of the model.
        max_bytes: that the weights, or with ``other_bytes`` the whole bundle, may take.
        other_bytes: of tokenizer and graphs.
    """
    count, least = weights_in_codes(shape), smallest_bytes(shape)
    rest = f" less {other_bytes / 1e6:.1f} MB of tokenizer and graphs" if other_bytes else ""
    return (
        f"{count / 1e6:.1f} M weights in {max_bytes / 1e6:.1f} MB{rest}: "
        f"{max(max_bytes - other_bytes, 0) * 8 / count:.2f} bits a weight; "
        f"the least that is made has {least * 8 / count:.2f} ({least / 1e6:.1f} MB)",
        f"allow {-(-(least + other_bytes) // 100_000) / 10:.1f} MB, prune the vocabulary, or choose a smaller model",
    )
