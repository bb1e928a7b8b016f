"""Matrices rounded to the nearest codes, which needs no data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, overload

from edgekit.types import F32
from edgekit_export.quantize.block_grid import Format, round_nearest
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.tiered import Tiered, TieredFormat, round_tiered


@overload
def rounded(
    read: Callable[[str], F32], formats: Mapping[str, Format], progress: Progress = silent
) -> dict[str, Blockwise]: ...


@overload
def rounded(
    read: Callable[[str], F32], formats: Mapping[str, Format | TieredFormat], progress: Progress = silent
) -> dict[str, Blockwise | Tiered]: ...


def rounded(
    read: Callable[[str], F32], formats: Mapping[str, Any], progress: Progress = silent
) -> dict[str, Any]:
    """Each weight to the nearest value; one matrix is in memory at a time.

    Args:
        read: gives a matrix.
        formats: of all matrices.
        progress: told of every matrix.

    Raises:
        DataError: a matrix that the block does not divide.
    """
    found: dict[str, Any] = {}
    for name, form in formats.items():
        weight = read(name)
        found[name] = round_nearest(weight, form) if isinstance(form, Format) else round_tiered(weight, form)
        progress("round", len(found), len(formats))
    return found
