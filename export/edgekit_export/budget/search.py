"""Finds the smallest bundle that holds the drop, and the least drop that holds the size, by measuring few of many.

Bytes and noise of an allocation are known beforehand, its drop is not: each trial writes one and measures it. Noise
falls as bytes grow, and the drop with it, so the search halves the span of sizes that is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edgekit.evaluation.outcome import Evaluation
from edgekit.statistics.quantiles import CONFIDENCE, normal_quantile
from edgekit_export.budget.allocation import Allocation
from edgekit_export.candidate import Candidate

MOST_TRIALS = 6
NEAR = 1.02
"""Sizes that are within 2 % of each other are not told apart."""
_AGAIN = 2.2
"""A drop is expected to hold on other samples of the kind where its bound, this many times as far from the
estimate, does: both estimates err, by a factor √2 together, and 95 of 100 shall pass: (1.96 + √2·1.645) / 1.96."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One allocation, written and measured.

    Attributes:
        allocation: what it is.
        candidate: as it was written and measured; its files may have been replaced since.
        bytes: of a bundle that holds it alone.
        samples: that there are to measure on; the measurement may have stopped before.
    """

    allocation: Allocation
    candidate: Candidate
    bytes: int
    samples: int

    @property
    def evaluation(self) -> Evaluation | None:
        """Against full precision; ``None`` where nothing is measured."""
        return self.candidate.evaluation

    @property
    def holds(self) -> bool:
        """No gate was asked for, or it is proven to hold."""
        return self.evaluation is None or self.evaluation.holds

    @property
    def holds_again(self) -> bool:
        """Whether it will most likely hold on as many other samples as there are."""
        return self.evaluation is None or holds_again(self.evaluation, self.samples)


def holds_again(found: Evaluation, samples: int) -> bool:
    """Whether a drop will most likely hold on so many other samples, by the width that its interval has with them.

    A measurement that stopped early has fewer samples, and a much higher confidence, as its look demanded.
    """
    if found.max_drop is None:
        return True
    share = math.sqrt(found.n / samples) * normal_quantile(CONFIDENCE) / normal_quantile(found.confidence)
    width = (found.interval[1] - found.drop) * share
    return found.holds and found.drop + _AGAIN * width <= found.max_drop


class Trials(Protocol):
    """Writes and measures."""

    def at(self, max_bytes: int, *, final: bool = False) -> Trial | None:
        """The least noise that fits into a bundle of so many bytes; ``None`` if none can be so small.

        Args:
            max_bytes: of the bundle.
            final: measure on all data; else measuring may stop as soon as the verdict is clear.
        """
        ...


@dataclass(slots=True)
class Found:
    """What a search came to.

    Attributes:
        chosen: what holds everything; ``None`` if nothing does.
        smallest: the smallest that holds the drop, on other samples too; ``None`` if none did, none was sought, or
            one that was known before is no larger.
        smallest_bytes: of that, or of the one known before.
        trials: all that were measured.
    """

    chosen: Trial | None = None
    smallest: Trial | None = None
    smallest_bytes: int | None = None
    trials: list[Trial] = field(default_factory=list)


def search(
    trials: Trials,
    smallest_bytes: int,
    largest_bytes: int,
    max_size_bytes: int | None,
    *,
    gated: bool,
    known_bytes: int | None = None,
) -> Found:
    """Looks for a bundle within a size whose drop holds; failing that, for what would be possible.

    Args:
        trials: makes them.
        smallest_bytes: of any bundle.
        largest_bytes: of the bundle beyond which nothing gets better.
        max_size_bytes: of the bundle; ``None`` asks for the smallest that holds the drop.
        gated: whether there is a limit to the drop.
        known_bytes: of the smallest bundle that is known to hold, if any is.
    """
    found = Found(smallest_bytes=known_bytes)
    low = smallest_bytes
    if max_size_bytes is not None:
        trial = _try(trials, found, max_size_bytes, final=True)
        if trial is not None and trial.holds:
            found.chosen = trial
            return found
        low = max(low, max_size_bytes)
    if not gated:
        found.smallest = _try(trials, found, smallest_bytes)
    elif low < largest_bytes:
        found.smallest = _confirmed(trials, found, _smallest(trials, found, low, largest_bytes, known_bytes))
    elif not found.trials:
        _try(trials, found, largest_bytes)
    if found.smallest is not None:
        found.smallest_bytes = found.smallest.bytes
    if max_size_bytes is None:
        found.chosen = found.smallest
    return found


def _smallest(trials: Trials, found: Found, low: int, high: int, known: int | None) -> Trial | None:
    """The smallest size at which the drop holds: above ``low``, and up to ``high`` or to what is known to hold."""
    best = _try(trials, found, high) if known is None else None
    if known is None and (best is None or not best.holds):
        return None
    at_most = known if best is None else best.bytes
    for _ in range(MOST_TRIALS - 1):
        if at_most is None or at_most <= low * NEAR:
            break
        middle = math.isqrt(low * at_most)
        trial = _try(trials, found, middle)
        if trial is not None and trial.holds_again:
            best, at_most = trial, trial.bytes
        else:
            low = middle
    return best


def _confirmed(trials: Trials, found: Found, best: Trial | None) -> Trial | None:
    """The smallest from ``best`` on that holds on all data, on other samples too if any does.

    An early verdict is of few samples, and the smallest of several is the luckiest.
    """
    if best is None:
        return None
    held = None
    for trial in sorted(
        (t for t in found.trials if t.holds and t.bytes >= best.bytes), key=lambda t: t.bytes
    ):
        whole = _try(trials, found, trial.bytes, final=True)
        if whole is not None and whole.holds_again:
            return whole
        if held is None and whole is not None and whole.holds:
            held = whole
    return held


def _try(trials: Trials, found: Found, max_bytes: int, *, final: bool = False) -> Trial | None:
    trial = trials.at(max_bytes, final=final)
    if trial is not None:
        found.trials.append(trial)
    return trial


def relaxation(
    max_size_bytes: int | None,
    max_drop: float | None,
    smallest_bytes: int | None,
    smallest_drop: float | None,
    max_ms: float | None = None,
    least_ms: float | None = None,
) -> str:
    """The one thing to give up that is least, as an option: a larger size, drop or latency, by their ratios.

    Args:
        max_size_bytes: that was asked for; ``None`` if none was.
        max_drop: the same of the drop, in points; ``None`` where none was.
        smallest_bytes: that holds the drop.
        smallest_drop: the bound that holds the size, in points.
        max_ms: the limit of time; ``None`` where none was.
        least_ms: that holds the others.

    Returns:
        Empty where nothing is known to help.
    """
    ways: Sequence[tuple[float, str]] = []
    if smallest_bytes is not None and max_size_bytes is not None:
        ways = [(smallest_bytes / max_size_bytes, f"--max-size {smallest_bytes}")]
    if smallest_drop is not None and max_drop is not None and smallest_drop > 0:
        limit = math.ceil(smallest_drop * 100 + 1) / 100
        ways = [*ways, (limit / max_drop if max_drop > 0 else math.inf, f"--max-drop {limit:g}%")]
    if least_ms is not None and max_ms is not None:
        ways = [*ways, (least_ms / max_ms, f"--max-latency {least_ms:g}ms")]
    return min(ways, default=(0.0, ""))[1]
