"""What of a language model is stored in codes, its eyes included: one list, so that one budget is over all of it."""

from __future__ import annotations

from collections.abc import Callable

from edgekit.types import F32
from edgekit_export.quantize.block_grid import Format
from edgekit_export.quantize.rough_costs import text_weights, vision_weights
from edgekit_export.quantize.text_stream import dense
from edgekit_export.quantize.text_widths import text_matrices
from edgekit_export.quantize.tiered import TieredFormat
from edgekit_export.quantize.vision_widths import vision_matrices
from edgekit_export.quantize.widths import Matrices
from edgekit_export.sources.text_model import TextModel


def matrices_of(model: TextModel) -> Matrices[Format | TieredFormat]:
    """Of decoder and eyes."""
    text = text_matrices(model.shape)
    if model.eyes is None:
        return Matrices(text.sizes, text.stages, text.formats)
    return text + vision_matrices(model.eyes.shape)


def matrix_reader(model: TextModel) -> Callable[[str], F32]:
    """Gives each of them in float32, ``(outputs, inputs)``."""
    eyes = model.eyes
    seen = {} if eyes is None else vision_matrices(eyes.shape).sizes

    def read(name: str) -> F32:
        if eyes is not None and name in seen:
            return eyes.read(name).reshape(seen[name])
        return dense(model, name)

    return read


def noise_weights(model: TextModel) -> dict[str, float]:
    """How much the noise of each counts; see :mod:`edgekit_export.quantize.rough_costs`."""
    found = text_weights(model.shape, text_matrices(model.shape).sizes)
    if model.eyes is not None:
        found |= vision_weights(model.eyes.shape, vision_matrices(model.eyes.shape).sizes)
    return found
