"""Whether a model can be kept within so many bytes at all: the arithmetic, before anything is tried."""

from __future__ import annotations

from typing import Final

from edgekit.catalog.sizes import BITS_A_PARAMETER, bits_a_parameter, size_bytes

NARROWEST: Final = "int4"
"""The precision of the narrowest weights that a recipe here has."""


def cannot_fit(parameters: int, limit_bytes: int) -> str | None:
    """Why the weights alone exceed a limit at every precision there is, in one sentence; ``None`` where they need not.

    Args:
        parameters: each shared tensor counted once.
        limit_bytes: of the whole bundle, so that weights which just fit it do not fit in the end.
    """
    least = size_bytes(parameters, NARROWEST)
    if least <= limit_bytes:
        return None
    return (
        f"{parameters:,} parameters in {limit_bytes / 1e6:,.4g} MB leave "
        f"{bits_a_parameter(parameters, limit_bytes):.2f} bits a weight; the narrowest weights here take "
        f"{BITS_A_PARAMETER[NARROWEST]:g} (4, and a 16-bit scale for 32 of them): {least / 1e6:,.4g} MB"
    )
