"""What rounding each matrix of a text model costs in divergence of its predictions, before any is rounded.

To second order the divergence from the reference is ``½ · mean(g²) · mean(δ²)``, summed over a matrix' outputs: ``δ``
is what rounding does to an output and ``g`` the gradient there of the log probability of a token that the model itself
draws (the Fisher information; Martens and Grosse 2015, arXiv 1503.05671, section 2). What is left of a rounding
error of variance ``Δ²/12`` after the inputs to come made up for it is ``Δ²/12 · 1/U²`` (GPTQ's factor ``U``), so
every width's cost follows from one pass forward and one backward. The runtime rounds inputs to int8 by the same
blocks, which costs the more the larger they are: that is in it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from edgekit.types import F32, Array
from edgekit_export.architectures.shape import EMBEDDING, MATRICES
from edgekit_export.quantize.block_grid import Format
from edgekit_export.quantize.decoder import decode_layer
from edgekit_export.quantize.gptq import DAMPING
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.round_weights import damped_factor
from edgekit_export.quantize.steps import Steps
from edgekit_export.quantize.text_stream import (
    Checkpoint,
    Moment,
    Placed,
    as_they_are,
    checked_sequences,
    dense,
    embedded,
    head_name,
    last_norm,
    layer_norms,
    rounded_activations,
)

if TYPE_CHECKING:
    import torch

_SEQUENCES_AT_ONCE = 4
_USUAL = 4.0
"""Times the median: what a token's squared gradient is cut to."""

_TOKENS_AT_ONCE = 128
"""Of the head's logits: 134 MB for the largest vocabulary here."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """What the pass found.

    Attributes:
        costs: matrix → divergence in nats a token that each of the formats would add, in their order.
        head_moment: ``(hidden, hidden)`` second moment of what the head reads.
    """

    costs: dict[str, tuple[float, ...]]
    head_moment: F32


def measure_sensitivity(
    model: Checkpoint,
    sequences: Array,
    formats: Sequence[Format],
    seed: int = 0,
    progress: Progress = silent,
) -> Sensitivity:
    """Costs of all matrices in all formats.

    Args:
        model: the reference.
        sequences: ``(sequences, tokens)`` calibration tokens; the states of all layers are kept in memory.
        formats: ways to store a matrix; one whose block does not divide a matrix' inputs costs infinity there.
        seed: of the tokens that are drawn.
        progress: told of every layer, forward and backward.

    Raises:
        DataError: as :func:`~edgekit_export.quantize.text_stream.checked_sequences`.
    """
    tokens = checked_sequences(model, sequences)
    shape, table = model.shape, dense(model, EMBEDDING)
    states = _forward(model, embedded(shape, table, tokens), progress)
    head = table if shape.tied else dense(model, head_name(shape))
    gradient, read, doubt = _head_gradient(model, states.pop(), head, seed)
    costs = {head_name(shape): _costs(head, doubt, _Read.of(read, formats), formats)}
    for index in reversed(range(shape.layers)):
        gradient, found = _layer_costs(model, index, states.pop(), gradient, formats)
        costs.update(found)
        progress("sensitivity", 2 * shape.layers - index, 2 * shape.layers)
    looked_up = _lookup_costs(table * np.float32(shape.embedding_scale), tokens, gradient, formats)
    before = costs.get(EMBEDDING, (0.0,) * len(formats))
    costs[EMBEDDING] = tuple(a + b for a, b in zip(before, looked_up, strict=True))
    return Sensitivity(costs, Moment().of(read))


def measure_head_moment(
    model: Checkpoint,
    sequences: Array,
    progress: Progress = silent,
    placed: Placed = as_they_are,
    blocks: Array | None = None,
) -> F32:
    """``(hidden, hidden)`` second moment of what the head reads; the forward half of :func:`measure_sensitivity`."""
    tokens = checked_sequences(model, sequences)
    read = embedded(model.shape, dense(model, EMBEDDING), tokens, placed)
    states = _forward(model, read, progress, blocks)
    return Moment().of(last_norm(model, states[-1]))


def _forward(
    model: Checkpoint, x: torch.Tensor, progress: Progress, blocks: Array | None = None
) -> list[torch.Tensor]:
    """What each layer reads, and what the last one gives."""
    import torch

    states = [x]
    ahead: Iterable[torch.Tensor | None] = repeat(None)
    if blocks is not None:
        ahead = torch.from_numpy(blocks).split(_SEQUENCES_AT_ONCE)
    with torch.no_grad():
        for index in range(model.shape.layers):
            weights = _matrices(model, index)
            states.append(
                torch.cat(
                    [
                        decode_layer(
                            model.shape,
                            index,
                            layer_norms(model, index),
                            lambda name, y, w=weights: y @ w[name].T,
                            part,
                            alike,
                        )
                        for part, alike in zip(states[-1].split(_SEQUENCES_AT_ONCE), ahead, strict=False)
                    ]
                )
            )
            progress("sensitivity", index + 1, 2 * model.shape.layers)
    return states


def _matrices(model: Checkpoint, index: int) -> dict[str, torch.Tensor]:
    import torch

    return {name: torch.from_numpy(dense(model, f"layers.{index}.{name}.weight")) for name in MATRICES}


def _head_gradient(
    model: Checkpoint, x: torch.Tensor, head: F32, seed: int
) -> tuple[torch.Tensor, torch.Tensor, Array]:
    """Gradient at the last layer's output for drawn tokens; what the head reads; the variance of each draw."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    weight, leaf = torch.from_numpy(head), x.detach().requires_grad_()
    read = last_norm(model, leaf)
    flat = read.detach().reshape(-1, read.shape[-1])
    slope, doubt = torch.empty_like(flat), torch.zeros(len(head), dtype=torch.float64)
    with torch.no_grad():
        for start in range(0, len(flat), _TOKENS_AT_ONCE):
            part = slice(start, start + _TOKENS_AT_ONCE)
            likely = (flat[part] @ weight.T).softmax(-1)
            drawn = torch.multinomial(likely, 1, generator=generator)[:, 0]
            slope[part] = weight[drawn] - likely @ weight
            doubt += (likely * (1 - likely)).sum(0)
    read.backward(slope.reshape(read.shape))  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    return leaf.grad, flat, (doubt / len(flat)).numpy()


def _layer_costs(
    model: Checkpoint, index: int, x: torch.Tensor, gradient: torch.Tensor, formats: Sequence[Format]
) -> tuple[torch.Tensor, dict[str, tuple[float, ...]]]:
    """Gradient at a layer's input, and its matrices' costs."""
    import torch

    weights, vectors = _matrices(model, index), layer_norms(model, index)
    reads: dict[str, list[torch.Tensor]] = {name: [] for name in MATRICES}
    squares: dict[str, list[torch.Tensor]] = {name: [] for name in MATRICES}
    before = []
    for part, slope in zip(x.split(_SEQUENCES_AT_ONCE), gradient.split(_SEQUENCES_AT_ONCE), strict=True):
        leaf = part.detach().requires_grad_()
        outputs: dict[str, torch.Tensor] = {}

        def linear(name: str, y: torch.Tensor, outputs: dict[str, torch.Tensor] = outputs) -> torch.Tensor:
            reads[name].append(y.detach())
            outputs[name] = y @ weights[name].T
            outputs[name].retain_grad()
            return outputs[name]

        decode_layer(model.shape, index, vectors, linear, leaf).backward(slope)  # type: ignore[no-untyped-call]
        for name, output in outputs.items():
            assert output.grad is not None
            squares[name].append(output.grad.square().flatten(0, 1))
        assert leaf.grad is not None
        before.append(leaf.grad)
    read: dict[str, _Read] = {}
    for name, source in _SOURCES.items():
        read[name] = read[source] if source != name else _Read.of(torch.cat(reads[name]), formats)
    costs = {
        f"layers.{index}.{name}.weight": _costs(
            weights[name].numpy(), _tempered(torch.cat(squares[name])).mean(0).numpy(), read[name], formats
        )
        for name in MATRICES
    }
    return torch.cat(before), costs


def _tempered(squares: torch.Tensor) -> torch.Tensor:
    """Squared gradients ``(tokens, outputs)``, no token's sum far above what is usual.

    A few tokens have a hundred times the others' gradients, and which ones is chance; what rounding does there is no
    longer of second order, and the divergence is far less than they say.
    """
    total = squares.sum(1)
    return squares * (_USUAL * total.median() / total.clamp_min(1e-30)).clamp_max(1)[:, None]


_SOURCES = {
    name: {
        "self_attn.k_proj": "self_attn.q_proj",
        "self_attn.v_proj": "self_attn.q_proj",
        "mlp.up_proj": "mlp.gate_proj",
    }.get(name, name)
    for name in MATRICES
}
"""Matrix → the first one that reads the same."""


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What matters of a matrix' inputs.

    Attributes:
        left: ``(inputs,)`` ``1/U²``: the variance that the inputs to come leave of each.
        noise: block → ``(inputs,)`` variance of what rounding the inputs to int8 by such blocks adds to each.
    """

    left: Array
    noise: dict[int, Array]

    @classmethod
    def of(cls, x: torch.Tensor, formats: Sequence[Format]) -> _Read:
        """Of ``(..., inputs)`` values."""
        _, factor = damped_factor(Moment().of(x)[np.newaxis].astype(np.float64), DAMPING)
        noise = {}
        for block in {form.block for form in formats if x.shape[-1] % form.block == 0}:
            missed = (rounded_activations(x, block) - x).reshape(-1, x.shape[-1])
            noise[block] = missed.square().mean(0).numpy()
        return cls(1 / np.square(np.diagonal(factor[0])), noise)


def _costs(weight: F32, power: Array, read: _Read, formats: Sequence[Format]) -> tuple[float, ...]:
    """``½ Σ power · (Δ²/12 · 1/U² + weight² · noise)`` of each format."""
    power = power.astype(np.float64)
    carried, steps = power @ np.square(weight), Steps(weight)
    return tuple(
        float(
            0.5 * power @ steps.variance(form) @ read.left.reshape(-1, form.block).sum(axis=1)
            + 0.5 * carried @ read.noise[form.block]
        )
        if form.block in read.noise
        else np.inf
        for form in formats
    )


def _lookup_costs(
    table: F32, tokens: Array, gradient: torch.Tensor, formats: Sequence[Format]
) -> tuple[float, ...]:
    """Of rounding the rows that are looked up: there is no sum over inputs, an element's error stays."""
    rows, power = table[tokens.reshape(-1)], _tempered(gradient.square().flatten(0, 1)).numpy()
    steps = Steps(rows)
    return tuple(
        float(
            0.5
            * (steps.variance(form) * power.reshape(len(power), -1, form.block).sum(axis=2)).sum()
            / len(rows)
        )
        if table.shape[1] % form.block == 0
        else np.inf
        for form in formats
    )
