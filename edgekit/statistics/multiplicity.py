"""Many intervals at once."""

from __future__ import annotations

from edgekit.statistics.quantiles import CONFIDENCE


def simultaneous(m: int, confidence: float = CONFIDENCE) -> float:
    """Two-sided confidence of each of ``m`` intervals, so that all hold at once with ``confidence``.

    Bonferroni: ``1 - (1 - confidence) / m``, whatever the dependence. Who looks for the worst of 1,000 classes
    finds one that is bad by chance; at this level it is not chance.

    Raises:
        ValueError: ``m`` below 1.
    """
    if m < 1:
        raise ValueError(f"simultaneous: expected at least 1 interval, got {m}")
    return 1 - (1 - confidence) / m
