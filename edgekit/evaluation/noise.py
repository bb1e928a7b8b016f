"""How far the candidate's raw outputs are from the reference's, before any decision is made of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgekit.statistics.sqnr import Sqnr, energies
from edgekit.tasks.trace import Call, Trace
from edgekit.types import Array


def noise_of(reference: Trace, candidate: Trace) -> tuple[float, float] | None:
    """Signal and noise energy of one sample, over the outputs of the last graph of a task.

    That is the logits of a classifier, the scores of a recogniser. Where a task has several graphs, they are
    compared only if the last one was given the same input: if the detector already found other boxes, the
    recogniser's output differs for another reason than its own noise. A graph that carries something from call to call
    is compared as a whole.

    Returns:
        ``sum(reference^2)`` and ``sum((reference - candidate)^2)``; ``None`` if they cannot be compared.
    """
    if not reference.calls or not candidate.calls:
        return None
    role = reference.calls[-1].role
    first = [call for call in reference.calls if call.role == role]
    second = [call for call in candidate.calls if call.role == role]
    if len(first) != len(second):
        return None
    alone = all(call.role == role for call in reference.calls)  # what it carries to itself is its own noise
    pairs = list(zip(first, second, strict=True))
    if not all(_comparable(a, b) and (alone or _same(a.feeds, b.feeds)) for a, b in pairs):
        return None
    return energies(_flat(first), _flat(second))


class OutputNoise:
    """Signal to noise over samples, of what :func:`noise_of` gave for each, live or recorded."""

    def __init__(self) -> None:
        self.sqnr = Sqnr()

    def add(self, signal: float, noise: float) -> None:
        """Adds one sample that could be compared."""
        self.sqnr.add_energies(signal, noise)


def _comparable(a: Call, b: Call) -> bool:
    return [o.shape for o in a.outputs] == [o.shape for o in b.outputs]


def _same(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    return len(a) == len(b) and all(
        x.dtype == y.dtype and np.array_equal(x, y) for x, y in zip(a.values(), b.values(), strict=True)
    )


def _flat(calls: list[Call]) -> Array:
    """Without what a graph merely keeps for its next call."""
    told = ([o for _, o in call.told] if call.kept else call.outputs for call in calls)
    return np.concatenate([output.ravel() for outputs in told for output in outputs])
