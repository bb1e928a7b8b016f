"""Which width each matrix of a model is stored in: the least cost within a number of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any, Generic, Protocol, TypeVar

from edgekit.errors import DataError
from edgekit_export.budget.knapsack import Option, allocate
from edgekit_export.quantize.block_grid import Format

S = TypeVar("S", bound="Storage")
T = TypeVar("T", bound="Storage")

FORMATS = tuple(
    Format(bits, block, symmetric)
    for bits in (3, 4, 5, 6, 7, 8)
    for block in (32, 64)
    for symmetric in (False, True)
)
"""What a decoder's are chosen among. The engine multiplies by 4 and 8 bits; the others are stored as wide as they are
and widened when the graph is loaded. A float minimum a block (16 bits, for a whole zero point's 3 to 8) never pays
here: at equal bytes smaller blocks do more (docs/decisions/text-quantiser.md)."""


class Storage(Protocol):
    """A way to store a matrix."""

    @property
    def block(self) -> int:
        """Divides the inputs of the matrix."""

    def stored_bytes(self, outputs: int, inputs: int) -> int:
        """Of codes and all that goes with them."""


@dataclass(frozen=True, slots=True)
class Matrices(Generic[S]):
    """What of a model is stored in codes.

    Attributes:
        sizes: name of each tensor → ``(outputs, inputs)``.
        stages: names of the tensors that share a format.
        formats: name → what it may be stored in; the same for all of a stage.
    """

    sizes: Mapping[str, tuple[int, int]]
    stages: tuple[tuple[str, ...], ...]
    formats: Mapping[str, Sequence[S]]

    def __add__(self, other: Matrices[T]) -> Matrices[S | T]:
        """Of two parts of a model, with names of their own."""
        return Matrices(
            {**self.sizes, **other.sizes}, self.stages + other.stages, {**self.formats, **other.formats}
        )


def choose_formats(
    matrices: Matrices[S], costs: Mapping[str, Sequence[float]], max_bytes: int
) -> dict[str, S]:
    """The format of each matrix with which the sum of the costs is least.

    Args:
        matrices: of the model.
        costs: matrix → what each of its formats adds to a cost; infinite where it does not fit.
        max_bytes: of all codes, scales and zero points together.

    Raises:
        DataError: nothing that is made is so small; the message has the arithmetic.
    """
    sizes, table = matrices.sizes, []
    for names in matrices.stages:
        formats = matrices.formats[names[0]]
        noise = [sum(costs[name][j] for name in names) for j in range(len(formats))]
        table.append(
            [
                (form, Option(sum(form.stored_bytes(*sizes[name]) for name in names), cost))
                for form, cost in zip(formats, noise, strict=True)
                if isfinite(cost)
            ]
        )
    if max_bytes < sum(min(option.bytes for _, option in row) for row in table):
        raise DataError(*too_small(matrices, max_bytes))
    chosen = allocate([[option for _, option in row] for row in table], max_bytes)
    if chosen is None:
        raise DataError(*too_small(matrices, max_bytes))
    return {
        name: row[j][0]
        for names, row, j in zip(matrices.stages, table, chosen, strict=True)
        for name in names
    }


def smallest_bytes(matrices: Matrices[Any]) -> int:
    """Bytes of all matrices in the narrowest formats.

    Raises:
        DataError: no block divides a matrix' inputs.
    """
    return sum(_narrowest(name, size, matrices.formats[name]) for name, size in matrices.sizes.items())


def _narrowest(name: str, size: tuple[int, int], formats: Sequence[Storage]) -> int:
    fitting = [form.stored_bytes(*size) for form in formats if size[1] % form.block == 0]
    if not fitting:
        blocks = sorted({form.block for form in formats})
        raise DataError(
            f"{name}: expected inputs that blocks of {', '.join(map(str, blocks))} divide, got {size[1]}",
            "keep this model in full precision",
        )
    return min(fitting)


def too_small(
    matrices: Matrices[Any], max_bytes: int, other_bytes: int = 0, *, can_prune: bool = True
) -> tuple[str, str]:
    """Why a size cannot be reached, as arithmetic, and what can.

    Args:
        matrices: of the model.
        max_bytes: that the weights, or with ``other_bytes`` the whole bundle, may take.
        other_bytes: of tokenizer and graphs.
        can_prune: a smaller vocabulary would do too.
    """
    prune = ", prune the vocabulary," if can_prune else ""
    count, least = sum(map(prod, matrices.sizes.values())), smallest_bytes(matrices)
    rest = f" less {other_bytes / 1e6:.1f} MB of tokenizer and graphs" if other_bytes else ""
    return (
        f"{count / 1e6:.1f} M weights in {max_bytes / 1e6:.1f} MB{rest}: "
        f"{max(max_bytes - other_bytes, 0) * 8 / count:.2f} bits a weight; "
        f"the least that is made has {least * 8 / count:.2f} ({least / 1e6:.1f} MB)",
        f"allow {-(-(least + other_bytes) // 100_000) / 10:.1f} MB{prune} or choose a smaller model",
    )
