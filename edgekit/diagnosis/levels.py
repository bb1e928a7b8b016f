"""Which change of levels, channel by channel, makes the reference answer as the candidate does.

Gauss-Newton on ``candidate(x) = reference(gain * x + shift)``. It is the reference's input that is changed: it
has no quantisation noise, so its derivatives are clean, and the candidate need be asked once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.diagnosis.alteration import Alteration
from edgekit.diagnosis.evidence import distance, noise
from edgekit.diagnosis.probes import Probes
from edgekit.types import Array

STEPS = np.array([0.12] * 3 + [8.0] * 3)
"""Steps of the derivatives: gains, then shifts in levels at the middle grey."""

LONGEST = np.array([0.3] * 3 + [32.0] * 3)
"""Steps of one iteration are cut to these: farther the outputs are not linear."""

ITERATIONS = 12
FLAT = 1e-6
TOLERANCE = 0.1
ENOUGH = 0.98
"""A step must take away two percent of the noise."""

MIDDLE = 128.0
SHIFTS = np.array([False] * 3 + [True] * 3)
ALL = np.ones(6, bool)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Parameters with their error.

    Attributes:
        values: ``(6,)``: gain - 1 of red, green, blue, then the shift of a middle grey, in levels.
        step: ``(6,)`` to where the outputs, if they were linear, would agree best.
        error: ``(6,)`` standard errors of that, by leaving out one picture at a time.
        common: ``(2,)`` standard errors of the mean gain and the mean shift.
        noise: here, noise over signal.
        falls: share of the noise that the step would take away.
    """

    values: Array
    step: Array
    error: Array
    common: Array
    noise: float
    falls: float

    def significant(self, least: Array, times: float) -> Array:
        """``(6,)`` bool: at least so large, and so many times the error, by itself or all three channels together."""
        alone = (np.abs(self.values) >= least) & (np.abs(self.values) >= times * self.error)
        mean = np.abs(self.values.reshape(2, 3).mean(axis=1))
        together = (mean >= least.reshape(2, 3).mean(axis=1)) & (mean >= times * self.common)
        return np.asarray(alone | np.repeat(together, 3))


def altered(base: Alteration, values: Array) -> Alteration:
    """An alteration with these levels."""
    gain = 1 + values[:3]
    return base.affine(gain, values[3:] + MIDDLE * (1 - gain))


def fit(probes: Probes, base: Alteration, best: Fit, free: Array = ALL) -> Fit:
    """Goes on until nothing moves, or the noise falls no more.

    Args:
        probes: muted pictures.
        base: what else is altered; its levels are not used.
        best: where to begin, from :func:`fit_at`.
        free: ``(6,)`` bool, which parameters may move.

    Returns:
        Where it ended, the error, and the noise there.
    """
    for _ in range(ITERATIONS):
        values = _downhill(probes, base, best)
        if values is None:
            break
        best = fit_at(probes, base, values, free)
    return best


def _downhill(probes: Probes, base: Alteration, here: Fit) -> Array | None:
    """The step, halved until the noise falls; ``None`` where it falls no more."""
    for share in (1.0, 0.5, 0.25):
        step = share * here.step
        if np.all(np.abs(step) < TOLERANCE * STEPS):
            break
        values: Array = here.values + step
        if noise(probes.wanted(base), probes.answers(altered(base, values))) < ENOUGH * here.noise:
            return values
    return None


def fit_at(probes: Probes, base: Alteration, values: Array, free: Array = ALL) -> Fit:
    """The Gauss-Newton step from these parameters; see :func:`fit`."""
    squares, sides, lost, signal = [], [], 0.0, 0.0
    for i, goal in enumerate(probes.wanted(base)):
        here = probes.answer(i, altered(base, values))
        signal += float(np.square(goal, dtype=np.float64).sum())
        lost += distance(here, goal)
        if here.shape != goal.shape:
            continue
        slopes = [_slope(probes, i, base, values, k) for k in np.flatnonzero(free).tolist()]
        slope, miss = np.stack(slopes, axis=1), (goal - here).ravel()
        squares.append((slope.T @ slope).astype(np.float64))
        sides.append((slope.T @ miss).astype(np.float64))
    step, error, common = _solve(squares, sides, free)
    if np.trace(np.sum(squares, axis=0)) < FLAT * signal:
        error[:], common[:] = np.inf, np.inf  # nothing answers to anything: nothing is known
    falls = float(step[free] / STEPS[free] @ np.sum(sides, axis=0)) if sides else 0.0
    step = np.clip(step, -LONGEST, LONGEST)
    step[:3] = np.maximum(step[:3], -0.8 - values[:3])
    return Fit(values, step, error, common, lost / signal if signal else 0.0, falls / lost if lost else 0.0)


def _slope(probes: Probes, index: int, base: Alteration, values: Array, k: int) -> Array:
    """Change of the answer by one step of one parameter; taken on both sides, as answers are curved."""
    half = np.zeros(6)
    half[k] = STEPS[k] / 2
    above = probes.answer(index, altered(base, values + half))
    return (above - probes.answer(index, altered(base, values - half))).ravel()


def _solve(squares: list[Array], sides: list[Array], free: Array) -> tuple[Array, Array, Array]:
    """Step ``(6,)``, its standard error, and those of the mean gain and shift, ``(2,)``.

    Errors come of the jackknife over pictures; what is not free has step 0 and an infinite error.
    """
    step, error, common = np.zeros(6), np.full(6, np.inf), np.full(2, np.inf)
    n = len(squares)
    if n < 2:
        return step, error, common
    square, side = np.sum(squares, axis=0), np.sum(sides, axis=0)
    ridge = 1e-6 * max(float(np.trace(square)), 1e-30) * np.eye(len(side))
    step[free] = np.linalg.solve(square + ridge, side) * STEPS[free]
    without = np.zeros((n, 6))
    without[:, free] = STEPS[free] * np.array(
        [np.linalg.solve(square - a + ridge, side - b) for a, b in zip(squares, sides, strict=True)]
    )
    error[free] = _spread(without)[free]
    for k, part in enumerate((slice(0, 3), slice(3, 6))):
        if free[part].all():
            common[k] = _spread(without[:, part].mean(axis=1))
    return step, error, common


def _spread(without: Array) -> Array:
    """Standard error of what was computed without one picture each, ``(n, …)`` → ``(…)``."""
    n = len(without)
    return np.asarray(np.sqrt((n - 1) / n * np.square(without - without.mean(axis=0)).sum(axis=0)))
