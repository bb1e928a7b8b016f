"""A text model's weights in codes: one width for all, or the best mixture within a number of bytes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from edgekit.types import Array
from edgekit_export.architectures.shape import EMBEDDING, HEAD, DecoderShape
from edgekit_export.quantize.block_grid import Format
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.quantize.nearest import rounded
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.text_gptq import round_text
from edgekit_export.quantize.text_sensitivity import measure_head_moment, measure_sensitivity
from edgekit_export.quantize.text_stream import Checkpoint, checked_sequences, dense
from edgekit_export.quantize.text_widths import text_matrices
from edgekit_export.quantize.widths import FORMATS, choose_formats

Recipe = Literal["int8", "int4"]

CALIBRATION_TOKENS = 16_384
"""Most that are used; what more would give is within what other texts of the same kind change."""

_PROBED_TOKENS = 4096
"""Of the passes that keep every layer's state."""


def quantize_text(
    model: Checkpoint, sequences: Array, max_bytes: int, progress: Progress = silent
) -> dict[str, Blockwise]:
    """All matrices in the widths, of 3 to 8 bits, that cost the least within so many bytes.

    Args:
        model: the reference.
        sequences: ``(sequences, tokens)`` whole numbers: calibration text, 8,000 tokens or more of it, sequences of
            256 or 512.
        max_bytes: of all codes, scales and zero points together; tokenizer, norms and graphs are not in it.
        progress: told of every layer, in two passes.

    Returns:
        Tensor name → codes, for every matrix, the embedding and an untied head.

    Raises:
        DataError: no such sequences; nothing that is made is so small.
    """
    tokens = checked_sequences(model, sequences)
    probed = measure_sensitivity(model, _some(tokens, _PROBED_TOKENS), FORMATS, progress=progress)
    formats = choose_formats(text_matrices(model.shape), probed.costs, max_bytes)
    return round_text(model, _some(tokens, CALIBRATION_TOKENS), formats, probed.head_moment, progress)


def quantize_plainly(
    model: Checkpoint, recipe: Recipe, sequences: Array | None = None, progress: Progress = silent
) -> dict[str, Blockwise]:
    """All matrices in one width.

    Args:
        model: the reference.
        recipe: see :func:`plain_formats`.
        sequences: as :func:`quantize_text`; without any each weight is rounded to the nearest value.
        progress: told of every layer.

    Raises:
        DataError: no such sequences; a matrix that the block does not divide.
    """
    formats = plain_formats(model.shape, recipe)
    if sequences is None:
        return rounded(lambda name: dense(model, name), formats, progress)
    tokens = checked_sequences(model, sequences)
    moment = measure_head_moment(model, _some(tokens, _PROBED_TOKENS), progress)
    return round_text(model, _some(tokens, CALIBRATION_TOKENS), formats, moment, progress)


def plain_formats(shape: DecoderShape, recipe: Recipe) -> dict[str, Format]:
    """``int8``: 8 bits in symmetric blocks; ``int4``: 4 bits, embedding and head in 8; blocks of 32.

    Blocks of 64 would cost more by how coarsely the runtime rounds inputs than the scales' bytes are worth.
    """
    return {
        name: Format(8, 32, symmetric=True)
        if recipe == "int8" or name in (EMBEDDING, HEAD)
        else Format(4, 32)
        for name in text_matrices(shape).sizes
    }


def _some(sequences: Array, most_tokens: int) -> Array:
    """Evenly drawn sequences of at most so many tokens, one at least."""
    count = min(max(most_tokens // sequences.shape[1], 1), len(sequences))
    return sequences[np.linspace(0, len(sequences) - 1, count).astype(int)]
