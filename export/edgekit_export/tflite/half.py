"""Weights of a convolution in float16, rounded so that the errors of its taps cancel.

What a convolution reads has much the same mean at all its taps, so the sum of their errors times that mean shifts its
output. Rounding to nearest leaves such a sum, and where the first depthwise layer reads ReLU6 it is most of the noise:
EfficientNet-Lite0 as a whole is 47 dB from its float32 twin then, and 68 dB where each tap takes up what the one before
it lost.
"""

from __future__ import annotations

import numpy as np

from edgekit.types import Array


def half_weights(real: Array) -> Array:
    """Rounds, the largest taps first, so that what is lost in the end is a part of the smallest.

    Args:
        real: ``(outputs, inputs / groups, ...)``; the axes behind are the taps.

    Returns:
        The same shape, float16.
    """
    taps = real.reshape(*real.shape[:2], -1).astype(np.float64)
    order = np.argsort(-np.abs(taps), axis=2, kind="stable")
    wanted = np.take_along_axis(taps, order, 2)
    rounded = np.zeros(wanted.shape, np.float16)
    lost = np.zeros(wanted.shape[:2])
    for tap in range(wanted.shape[2]):
        lost = lost + wanted[..., tap]
        rounded[..., tap] = lost.astype(np.float16)
        lost = lost - rounded[..., tap]
    found = np.zeros_like(rounded)
    np.put_along_axis(found, order, rounded, 2)
    return found.reshape(real.shape)
