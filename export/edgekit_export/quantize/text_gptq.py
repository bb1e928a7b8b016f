"""A text model's matrices rounded layer by layer, each seeing what the rounded ones before it make of its inputs.

Two streams of hidden states pass the layers: the reference's and the rounded model's, whose activations are rounded to
int8 as the runtime rounds them. Before a matrix is rounded, it is moved to the one that gives the reference's
outputs from the rounded stream's inputs, as far as the inputs' second moment and cross moment tell (as in Li et al.
2025, GPTAQ, arXiv 2504.02692, without its per-column order).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from edgekit.types import F32, Array
from edgekit_export.architectures.shape import EMBEDDING, HEAD
from edgekit_export.quantize.block_grid import Format, round_nearest
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.quantize.decoder import decode_layer
from edgekit_export.quantize.gptq import DAMPING, gptq
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.text_stream import (
    Checkpoint,
    Placed,
    as_they_are,
    checked_sequences,
    dense,
    embedded,
    layer_norms,
    rounded_activations,
)

if TYPE_CHECKING:
    import torch

NEAREST_FROM_BITS = 7
"""Little is left to gain, and fitting to calibration text costs more: at 145 MB a 135M model diverged by 0.0042 nats
rounded to nearest and by 0.0068 fitted to 2,560 tokens."""


def round_text(
    model: Checkpoint,
    sequences: Array,
    formats: Mapping[str, Format],
    head_moment: F32,
    progress: Progress = silent,
    placed: Placed = as_they_are,
    blocks: Array | None = None,
) -> dict[str, Blockwise]:
    """All matrices in codes.

    Memory holds both streams' states, one layer's weights and what its matrices read: for 12,000 tokens of a model of
    576 wide about 0.5 GB beside the embedding.

    Args:
        model: the reference.
        sequences: ``(sequences, tokens)`` calibration tokens.
        formats: tensor name → format, for every matrix, the embedding and an untied head.
        head_moment: ``(hidden, hidden)`` second moment of what the head reads in the reference.
        progress: told of every layer.
        placed: puts what pictures have in the places of tokens.
        blocks: see :func:`~edgekit_export.quantize.decoder.decode_layer`.

    Raises:
        DataError: as :func:`~edgekit_export.quantize.text_stream.checked_sequences`.
    """
    import torch

    shape, tokens = model.shape, checked_sequences(model, sequences)
    table = dense(model, EMBEDDING)
    found = {EMBEDDING: _embedding(table, head_moment if shape.tied else None, formats[EMBEDDING])}
    if not shape.tied:
        found[HEAD] = gptq(dense(model, HEAD), head_moment, formats[HEAD])
    exact = embedded(shape, table, tokens, placed)
    rounded = embedded(shape, found[EMBEDDING].dequantized(), tokens, placed)
    del table
    ahead = None if blocks is None else torch.from_numpy(blocks)
    with torch.no_grad():
        for index in range(shape.layers):
            layer = _Layer(model, index, formats)
            exact = decode_layer(shape, index, layer.vectors, layer.reference, exact, ahead)
            rounded = decode_layer(shape, index, layer.vectors, layer.rounding, rounded, ahead)
            found.update(layer.found)
            progress("round", index + 1, shape.layers)
    return found


def _embedding(table: F32, head_moment: F32 | None, form: Format) -> Blockwise:
    """Rounded for the head that it is too; a table that is only looked up has nothing to make up an error with."""
    hidden = table.shape[1]
    return gptq(table, np.eye(hidden, dtype=np.float32) if head_moment is None else head_moment, form)


class _Layer:
    """A layer's matrices: first run as they are, then rounded in the order of the data's flow."""

    def __init__(self, model: Checkpoint, index: int, formats: Mapping[str, Format]) -> None:
        self.vectors = layer_norms(model, index)
        self.found: dict[str, Blockwise] = {}
        self._model, self._formats, self._prefix = model, formats, f"layers.{index}."
        self._reads: dict[str, torch.Tensor] = {}
        self._stage: _Stage | None = None

    def reference(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """Multiplies with the matrix as it is, and keeps what it read."""
        self._reads[name] = x
        return x @ self._weight(name).T

    def rounding(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """Rounds the matrix for what it reads now, and multiplies with the rounded one."""
        import torch

        tensor = f"{self._prefix}{name}.weight"
        form = self._formats[tensor]
        if self._stage is None or self._stage.source is not x or self._stage.block != form.block:
            self._stage = _Stage(self._reads[name], x, form.block)
        weight = self._weight(name)
        if form.bits >= NEAREST_FROM_BITS:
            self.found[tensor] = round_nearest(weight.numpy(), form)
        else:
            self.found[tensor] = gptq((weight @ self._stage.move).numpy(), self._stage.moment, form)
        return self._stage.read @ torch.from_numpy(self.found[tensor].dequantized()).T

    def _weight(self, name: str) -> torch.Tensor:
        import torch

        return torch.from_numpy(dense(self._model, f"{self._prefix}{name}.weight"))


class _Stage:
    """What matrices with the same input share.

    Attributes:
        source: the input in the rounded stream, before its own rounding.
        block: that it is rounded by.
        read: the input as the runtime reads it.
        moment: ``(inputs, inputs)`` second moment of it.
        move: ``(inputs, inputs)``: a weight times this gives the reference's outputs best.
    """

    def __init__(self, exact: torch.Tensor, source: torch.Tensor, block: int) -> None:
        import torch

        self.source, self.block = source, block
        self.read = rounded_activations(source, block)
        flat = self.read.reshape(-1, source.shape[-1])
        moment, size = flat.T @ flat / len(flat), flat.shape[1]
        missed = (exact - self.read).reshape(-1, size).T @ flat / len(flat)
        damped = moment + DAMPING * moment.diagonal().mean().clamp_min(1e-12) * torch.eye(size)
        change = torch.linalg.solve(damped.double(), missed.double(), left=False)
        self.moment: F32 = moment.numpy()
        self.move = torch.eye(size) + change.float()
