"""The bias of a TFLite layer that takes the integer weight of its ONNX counterpart.

Both compute ``W x + b``, but not always of the same ``x``: where the ONNX graph folds the picture's mean into the bias
of the first convolution, TFLite keeps a subtraction before it, and the biases differ by ``W`` times that mean.
"""

from __future__ import annotations

import numpy as np

from edgekit.types import Array
from edgekit_export.quantize.weights import Codes
from edgekit_export.quantize.write_qdq import Layer

_CLOSE = 1e-3
"""Of the largest bias: both converters fold normalisation in float32, in another order."""


def corrected_bias(known: Layer, own: Array) -> Array:
    """TFLite's own bias, corrected for the error of the integer weight.

    The correction is ``(W - Wq) E[x]``. Where ``x`` is less by a constant ``d`` than what the ONNX layer reads,
    which its bias tells, it is ``(W - Wq) (E[x] - d)``.

    Args:
        known: the ONNX layer: its float weight, corrected bias and integer codes.
        own: float bias of the TFLite layer, ``(outputs,)``.

    Returns:
        ``(outputs,)`` float64.
    """
    weights, codes = known.weights, known.codes
    assert isinstance(codes, Codes)
    if weights.bias is None:  # ONNX adds it after the product
        return own.astype(np.float64)
    further = own - (weights.bias - known.shift)
    error = _over_taps(weights.weight - codes.real)
    if weights.groups == 1 and np.abs(further).max() > _CLOSE * np.abs(own).max():
        return own + known.shift - error @ _offset(_over_taps(weights.weight), further)
    corrected: Array = own + known.shift
    return corrected


def _over_taps(weight: Array) -> Array:
    """What a constant input makes of each channel: ``(outputs, inputs)``."""
    return weight.reshape(*weight.shape[:2], -1).sum(axis=2)


def _offset(weight: Array, further: Array) -> Array:
    """The constant of each input channel that makes biases differ so; zeros where none does, or more than one."""
    outputs, inputs = weight.shape
    found = np.linalg.lstsq(weight, further)[0]
    rest = np.abs(weight @ found - further).max()
    told = outputs > inputs and rest <= _CLOSE * np.abs(further).max()
    return found if told else np.zeros(inputs)
