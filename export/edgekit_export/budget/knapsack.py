"""The multiple-choice knapsack: one option a layer, the least noise within a number of bytes.

Noise powers of single layers add up at the output to within a decibel (docs/decisions/budget.md), so the sum is a
sound objective. The problem is Sinha and Zoltners', "The Multiple-Choice Knapsack Problem", Operations Research 27
(1979); it is solved as an integer program by HiGHS (Huangfu and Hall 2018), which proves the optimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.types import Array
from edgekit_export.silence import silence

_GAP = 1e-6
"""Relative; a sum of noise powers this near the least one is the least one."""

_TOLERANCE = 1e-7
"""Of the largest cost: what a limit is drawn in by at the least, or a sum of times over it by its last bit would take
for ever."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to store a layer.

    Attributes:
        bytes: that it takes in the file.
        noise: power that it alone makes at the output, relative to the signal's; 0 or more.
        latency_ms: that the layer then takes.
    """

    bytes: int
    noise: float
    latency_ms: float = 0.0


def allocate(
    layers: Sequence[Sequence[Option]], max_bytes: int, max_latency_ms: float | None = None
) -> tuple[int, ...] | None:
    """The option of each layer with which the noise is least.

    Args:
        layers: the options of each layer, one at least.
        max_bytes: of all layers together.
        max_latency_ms: the same of their time; ``None`` sets no limit.

    Returns:
        Number of the option, for each layer; ``None`` if nothing fits.
    """
    table = [(i, j) for i, options in enumerate(layers) for j in _useful(options)]
    if not table:
        return ()
    chosen = [layers[i][j] for i, j in table]
    noise = np.array([option.noise for option in chosen])
    limits = [(np.array([option.bytes for option in chosen], np.float64), float(max_bytes))]
    if max_latency_ms is not None:
        limits.append((np.array([option.latency_ms for option in chosen]), max_latency_ms))
    owner = np.array([i for i, _ in table])
    relaxed = _solve(noise / max(noise.max(), 1e-300), owner, limits, whole=False)
    if relaxed is None:
        return None
    least = float(noise @ relaxed)
    picked = _solve(noise / (least if least > 0 else 1.0), owner, limits, whole=True)
    if picked is None:
        return None
    found = {i: j for (i, j), share in zip(table, picked, strict=True) if share > 0.5}
    return tuple(found[i] for i in range(len(layers)))


def _useful(options: Sequence[Option]) -> list[int]:
    """Options that no other one of the layer beats or equals in everything; of equal ones the first."""
    kept: list[int] = []
    order = sorted(range(len(options)), key=lambda j: (_costs(options[j]), j))
    for j in order:
        if not any(
            all(a <= b for a, b in zip(_costs(options[k]), _costs(options[j]), strict=True)) for k in kept
        ):
            kept.append(j)
    return sorted(kept)


def _costs(option: Option) -> tuple[float, float, float]:
    return option.bytes, option.noise, option.latency_ms


def _solve(
    objective: Array, owner: Array, limits: Sequence[tuple[Array, float]], *, whole: bool
) -> Array | None:
    """Shares of the options, whole ones or of the relaxed problem; ``None`` where none is feasible.

    The solver's tolerance lets a sum be over its limit by a millionth part: the limit is drawn in until it holds.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    n, rows = len(objective), int(owner.max()) + 1
    one_each = csr_array((np.ones(n), (owner, np.arange(n))), shape=(rows, n))
    bounds = [limit for _, limit in limits]
    while True:
        within = [
            LinearConstraint(cost[np.newaxis] / max(cost.max(), 1e-300), ub=bound / max(cost.max(), 1e-300))
            for (cost, _), bound in zip(limits, bounds, strict=True)
        ]
        with silence():  # HiGHS prints of its own repairs, in front of what --json promises
            solved = milp(
                objective,
                constraints=[LinearConstraint(one_each, 1, 1), *within],
                integrality=np.full(n, int(whole)),
                bounds=Bounds(0, 1),
                options={"mip_rel_gap": _GAP},
            )
        if solved.x is None:
            return None
        picked: Array = np.round(solved.x) if whole else solved.x
        over = [float(cost @ picked) - limit for cost, limit in limits]
        if not whole or max(over) <= 0:
            return picked
        bounds = [
            bound - max(excess, _TOLERANCE * float(cost.max())) if excess > 0 else bound
            for (cost, _), bound, excess in zip(limits, bounds, over, strict=True)
        ]
