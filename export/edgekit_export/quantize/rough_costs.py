"""What rounding costs where there is nothing to measure it on: each matrix' own noise, weighed by where it stands.

Rounding to nearest makes an error of variance ``Δ²/12`` in each weight. Relative to the matrix' power that is the noise
of its output, for inputs without a direction of their own. A layer adds one part of many to the sum that runs
through the layers, so its noise counts one part as much as that of the matrix that everything passes last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from edgekit.types import F32
from edgekit_export.architectures.shape import EMBEDDING, HEAD, DecoderShape
from edgekit_export.architectures.vision import PROJECTION, VisionShape
from edgekit_export.quantize.block_grid import Format
from edgekit_export.quantize.steps import Steps
from edgekit_export.quantize.tiered import TieredFormat


def rough_costs(
    weights: Mapping[str, float],
    read: Callable[[str], F32],
    formats: Mapping[str, Sequence[Format | TieredFormat]],
    advance: Callable[[], None] = lambda: None,
) -> dict[str, tuple[float, ...]]:
    """Costs of matrices in their formats.

    Args:
        weights: matrix → how much its noise counts; see :func:`text_weights` and :func:`vision_weights`.
        read: gives a matrix.
        formats: matrix → ways to store it; one whose block does not divide a matrix' inputs costs infinity there.
        advance: called after each matrix.
    """
    found = {}
    for name, weight in weights.items():
        values = read(name)
        power, steps = float(np.square(values, dtype=np.float64).sum()), Steps(values)
        found[name] = tuple(
            weight * _error(steps, form, values.shape[1]) / max(power, 1e-30) for form in formats[name]
        )
        advance()
    return found


def _error(steps: Steps, form: Format | TieredFormat, inputs: int) -> float:
    """Sum of the errors' variances over a matrix."""
    if inputs % form.block:
        return float("inf")
    if isinstance(form, Format):
        return float(steps.variance(form).sum()) * form.block
    row = Format(
        8, inputs, symmetric=True
    )  # what is multiplied with are whole numbers, with one scale an output
    found = float(steps.variance(row).sum()) * inputs
    return found if form.bits == row.bits else found + float(steps.variance(form.grid).sum()) * form.block


def text_weights(shape: DecoderShape, names: Iterable[str]) -> dict[str, float]:
    """The head, which scores what the layers made, counts whole; layers and a table that is only looked up a part."""
    head = EMBEDDING if shape.tied else HEAD
    return {name: 1.0 if name == head else 1 / shape.layers for name in names}


def vision_weights(shape: VisionShape, names: Iterable[str]) -> dict[str, float]:
    """The connector's projection, through which all goes, counts whole; layers a part."""
    return {name: 1.0 if name == PROJECTION else 1 / shape.layers for name in names}
