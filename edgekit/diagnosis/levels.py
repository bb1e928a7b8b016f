"""Which change of levels, channel by channel, makes the reference answer as the candidate does.

Gauss-Newton on ``candidate(x) = reference(gain * x + shift)``. It is the reference's input that is changed: it
has no quantisation noise, so its derivatives are clean, and the candidate need be asked once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgekit.diagnosis.alteration import Alteration
from edgekit.diagnosis.evidence import noise
from edgekit.diagnosis.probes import Probes
from edgekit.types import Array

STEPS = np.array([0.08] * 3 + [8.0] * 3)
"""Steps of the derivatives: gains, then shifts in levels at the middle grey."""

LONGEST = np.array([0.3] * 3 + [32.0] * 3)
"""Steps of one iteration are cut to these: farther the outputs are not linear."""

ITERATIONS = 6
MIDDLE = 128.0
SHIFTS = np.array([False] * 3 + [True] * 3)
ALL = np.ones(6, bool)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Parameters with their error.

    Attributes:
        values: ``(6,)``: gain - 1 of red, green, blue, then the shift of a middle grey, in levels.
        error: ``(6,)`` standard errors, by leaving out one picture at a time.
        noise: what it leaves, noise over signal.
    """

    values: Array
    error: Array
    noise: float

    def significant(self, least: Array, times: float) -> Array:
        """``(6,)`` bool: at least so large, and so many times the error."""
        return (np.abs(self.values) >= least) & (np.abs(self.values) >= times * self.error)


def altered(base: Alteration, values: Array) -> Alteration:
    """An alteration with these levels."""
    gain = 1 + values[:3]
    return base.affine(gain, values[3:] + MIDDLE * (1 - gain))


def first_step(probes: Probes, base: Alteration) -> Fit:
    """One iteration from no change at all: enough to tell that there is nothing."""
    return next(_iterate(probes, base, np.zeros(6), ALL))


def fit(probes: Probes, base: Alteration, start: Array, free: Array = ALL) -> Fit:
    """Iterates until nothing moves.

    Args:
        probes: muted pictures.
        base: what else is altered; its levels are not used.
        start: ``(6,)`` to begin from.
        free: ``(6,)`` bool, which parameters may move.
    """
    best: Fit | None = None
    before = start
    for step in _iterate(probes, base, start, free):
        left = noise(probes.answers(altered(base, step.values)), probes.wanted(base))
        if best is not None and left >= best.noise:
            break
        best = Fit(step.values, step.error, left)
        if np.all(np.abs(step.values - before) < 0.05 * STEPS):
            break
        before = step.values
    assert best is not None
    return best


def _iterate(probes: Probes, base: Alteration, start: Array, free: Array) -> Iterator[Fit]:
    values = start.astype(np.float64)
    wanted = probes.wanted(base)
    for _ in range(ITERATIONS):
        squares, sides, lost, signal = [], [], 0.0, 0.0
        for i, goal in enumerate(wanted):
            here = probes.answer(i, altered(base, values))
            signal += float(np.square(here, dtype=np.float64).sum())
            if here.shape != goal.shape:
                continue
            miss = (goal - here).ravel()
            lost += float(miss @ miss)
            slope = np.stack(
                [_slope(probes, i, base, values, k) for k in np.flatnonzero(free).tolist()], axis=1
            )
            squares.append((slope.T @ slope).astype(np.float64))
            sides.append((slope.T @ miss).astype(np.float64))
        step, error = _solve(squares, sides, free)
        values = values + np.clip(step, -LONGEST, LONGEST)
        values[:3] = np.maximum(values[:3], -0.8)
        yield Fit(values, error, lost / signal if signal else 0.0)


def _slope(probes: Probes, index: int, base: Alteration, values: Array, k: int) -> Array:
    """Change of the answer by one step of one parameter, taken on both sides."""
    step = np.zeros(6)
    step[k] = STEPS[k] / 2
    above = probes.answer(index, altered(base, values + step))
    below = probes.answer(index, altered(base, values - step))
    return (above - below).ravel()


def _solve(squares: list[Array], sides: list[Array], free: Array) -> tuple[Array, Array]:
    """Step and its standard error (the jackknife over pictures), both ``(6,)``, 0 and infinite where not free."""
    step, error = np.zeros(6), np.full(6, np.inf)
    n = len(squares)
    if n < 2:
        return step, error
    square, side = np.sum(squares, axis=0), np.sum(sides, axis=0)
    ridge = 1e-6 * max(float(np.trace(square)), 1e-30) * np.eye(len(side))
    solved = np.linalg.solve(square + ridge, side)
    without = np.array(
        [np.linalg.solve(square - a + ridge, side - b) for a, b in zip(squares, sides, strict=True)]
    )
    spread = np.sqrt((n - 1) / n * np.square(without - without.mean(axis=0)).sum(axis=0))
    step[free], error[free] = solved * STEPS[free], spread * STEPS[free]
    return step, error
