"""What every step over a text model's layers needs: its tensors as torch reads them, one layer in memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgekit.errors import DataError
from edgekit.types import F32, Array
from edgekit_export.architectures.shape import EMBEDDING, HEAD, LAST_NORM, DecoderShape, norms
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.quantize.decoder import rms_norm

if TYPE_CHECKING:
    import torch


class Checkpoint(Protocol):
    """The part of a :class:`~edgekit_export.sources.text_model.TextModel` that a quantiser reads."""

    @property
    def shape(self) -> DecoderShape:
        """Its architecture."""

    @property
    def read(self) -> Callable[[str], F32 | Blockwise]:
        """Reads one tensor, now."""


def dense(model: Checkpoint, name: str) -> F32:
    """A tensor in float32, whatever form the checkpoint has it in."""
    found = model.read(name)
    return found.dequantized() if isinstance(found, Blockwise) else found


def checked_sequences(model: Checkpoint, sequences: Array) -> Array:
    """Calibration tokens as int64 ``(sequences, tokens)``.

    Raises:
        DataError: there are none, or a token that the vocabulary has not.
    """
    found = np.asarray(sequences)
    if found.ndim != 2 or found.size == 0 or found.dtype.kind not in "iu":
        raise DataError(
            f"calibration: expected whole numbers (sequences, tokens), got {found.dtype} {found.shape}",
            "cut the calibration text into sequences of equal length",
        )
    if found.min() < 0 or found.max() >= model.shape.vocabulary:
        raise DataError(
            f"calibration: expected tokens 0 to {model.shape.vocabulary - 1}, "
            f"got {found.min()} to {found.max()}",
            "tokenize the calibration text with this model's tokenizer",
        )
    return found.astype(np.int64)


Placed = Callable[["torch.Tensor"], "torch.Tensor"]
"""Puts what pictures have in the places of tokens, ``(sequences, tokens, hidden)``, of all sequences."""


def as_they_are(x: torch.Tensor) -> torch.Tensor:
    """Of texts alone."""
    return x


def with_features(places: Array, features: F32) -> Placed:
    """Puts features in the places of tokens.

    Args:
        places: ``(sequences, tokens)`` bool.
        features: ``(places, hidden)``, in their order.
    """

    def placed(x: torch.Tensor) -> torch.Tensor:
        import torch

        found = x.clone()
        found[torch.from_numpy(places)] = torch.from_numpy(features)
        return found

    return placed


def embedded(shape: DecoderShape, table: F32, sequences: Array, placed: Placed = as_they_are) -> torch.Tensor:
    """What the first layer reads: ``(sequences, tokens, hidden)`` float32."""
    import torch

    return placed(torch.from_numpy(table[sequences] * np.float32(shape.embedding_scale)))


def layer_norms(model: Checkpoint, index: int) -> dict[str, torch.Tensor]:
    """A layer's vectors by their names inside it."""
    import torch

    return {
        name: torch.from_numpy(dense(model, f"layers.{index}.{name}.weight")) for name in norms(model.shape)
    }


def last_norm(model: Checkpoint, x: torch.Tensor) -> torch.Tensor:
    """What the head reads, of what the last layer gave."""
    import torch

    return rms_norm(x, torch.from_numpy(dense(model, LAST_NORM)), model.shape.epsilon)


def head_name(shape: DecoderShape) -> str:
    """The tensor that scores the vocabulary."""
    return EMBEDDING if shape.tied else HEAD


class Moment:
    """Second moments of what matrices read, each distinct input counted once.

    Matrices of a stage read the very same tensor; the last one's sum is kept for the next that asks.
    """

    def __init__(self) -> None:
        self._of: object = None
        self._sum: F32 | None = None

    def of(self, x: torch.Tensor) -> F32:
        """``(inputs, inputs)`` float32: mean of ``x xᵀ`` over all sequences and tokens of ``(..., inputs)``."""
        if self._of is not x or self._sum is None:
            flat = x.reshape(-1, x.shape[-1])
            found: F32 = (flat.T @ flat / len(flat)).numpy()
            self._of, self._sum = x, found
        return self._sum


def rounded_activations(x: torch.Tensor, block: int) -> torch.Tensor:
    """What the runtime multiplies with: int8 by blocks along the inputs (MatMulNBits, accuracy_level 4)."""
    blocks = x.reshape(*x.shape[:-1], -1, block)
    step = blocks.abs().amax(-1, keepdim=True).clamp_min(1e-30) / 127
    return ((blocks / step).round() * step).reshape(x.shape)
