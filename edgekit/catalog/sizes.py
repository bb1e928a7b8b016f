"""How many bytes a model's weights take at a precision: computed from its parameters, never stored."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from edgekit.errors import UsageError

BITS_A_PARAMETER: Final = MappingProxyType({"fp32": 32.0, "fp16": 16.0, "int8": 8.0, "int4": 4.5})
"""int8 has a scale a channel, which is less than 1 % and not counted. int4 has a 16-bit scale for each block of 32
weights: 4 + 16 / 32 bits. Every parameter is counted at that precision, embeddings, biases and normalisation too."""


def size_bytes(parameters: int, precision: str) -> int:
    """Bytes of the weights alone: no tokenizer, labels or graph, which a bundle has as well.

    Args:
        parameters: each shared tensor counted once.
        precision: ``fp32``, ``fp16``, ``int8`` or ``int4``.

    Raises:
        UsageError: another precision.
    """
    if precision not in BITS_A_PARAMETER:
        raise UsageError(f"precision {precision!r}", f"expected one of {', '.join(BITS_A_PARAMETER)}")
    return round(parameters * BITS_A_PARAMETER[precision] / 8)


def bits_a_parameter(parameters: int, limit_bytes: int) -> float:
    """Bits that a limit leaves for each parameter, if it held nothing else.

    Raises:
        UsageError: a model without parameters.
    """
    if parameters < 1:
        raise UsageError(f"parameters: got {parameters}, expected at least 1")
    return 8 * limit_bytes / parameters
