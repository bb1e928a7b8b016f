"""Prepared tensors as RGB levels and back, so that both graphs can be given the very same picture."""

from __future__ import annotations

import numpy as np

from edgekit.bundle.manifest import ImageInput
from edgekit.diagnosis.operations import normalize_of
from edgekit.types import F32, Array


def to_levels(tensor: Array, spec: ImageInput) -> F32:
    """RGB levels of a prepared tensor.

    Args:
        tensor: ``(1, height, width, 3)`` or ``(1, 3, height, width)``, as ``spec`` says.
        spec: how it was prepared.

    Returns:
        ``(height, width, 3)`` float32, 0–255.
    """
    values = tensor[0].transpose(1, 2, 0) if spec.layout == "nchw" else tensor[0]
    levels = values.astype(np.float32)
    normalize = normalize_of(spec)
    if normalize is not None:
        levels = levels * np.asarray(normalize.std, np.float32) + np.asarray(normalize.mean, np.float32)
    return np.ascontiguousarray(levels[:, :, ::-1] if spec.color == "bgr" else levels)


def to_tensor(levels: F32, spec: ImageInput) -> Array:
    """The tensor of RGB levels; a graph that takes uint8 gets them rounded and clipped.

    Args:
        levels: ``(height, width, 3)`` float32; may leave 0–255.
        spec: order, dtype, layout and normalisation.
    """
    values: Array = levels[:, :, ::-1] if spec.color == "bgr" else levels
    if spec.dtype == "uint8":
        values = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    normalize = normalize_of(spec)
    if normalize is not None:
        mean, std = (np.asarray(v, np.float32) for v in (normalize.mean, normalize.std))
        values = ((values - mean) / std).astype(np.float32)
    if spec.layout == "nchw":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values)[np.newaxis]
