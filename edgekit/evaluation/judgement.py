"""What a score means for a limit, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.evaluation.outcome import VerdictOrNone
from edgekit.evaluation.score import Score
from edgekit.statistics.gate import gate, needed_n


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason.

    Attributes:
        verdict: ``NONE`` where no limit was given.
        reason: in one sentence.
        needed_n: samples that an inconclusive result would need; ``None`` if none would do.
    """

    verdict: VerdictOrNone
    reason: str
    needed_n: int | None = None


def judge(score: Score, n: int, max_drop: float | None, confidence: float) -> Judgement:
    """Holds the ends of the drop's interval against the limit.

    Args:
        score: in fractions.
        n: samples measured.
        max_drop: in points, or ``None``.
        confidence: of the interval, two-sided.
    """
    interval = score.interval_at(1.0, confidence).scaled(100)
    what = "disagreement" if score.metric == "disagreement" else "drop"
    unit = "points" if score.percent else "% of the reference's value"
    span = f"from {interval.low:.2f} to {interval.high:.2f} {unit}"
    if max_drop is None:
        known = f"the {what} is {100 * score.drop:.2f} {unit}, {span} at {100 * confidence:g} %"
        return Judgement("NONE", f"{known}; no limit was given")
    verdict, limit = gate(interval.high, interval.low, max_drop), f"the limit of {max_drop:g}"
    if verdict == "PASS":
        return Judgement(verdict, f"the {what} is at most {interval.high:.2f} {unit}, within {limit}")
    if verdict == "FAIL":
        return Judgement(verdict, f"the {what} is at least {interval.low:.2f} {unit}, over {limit}")
    needed = needed_n(lambda scale: score.interval_at(scale, confidence), n, max_drop / 100)
    known = f"the {what} may be anything {span}, on either side of {limit}"
    if needed is None:
        return Judgement(verdict, f"{known}; more samples like these would not make it pass")
    sources = f" from {-(-needed * score.clusters // n):,} sources" if score.clusters < n else ""
    more = f"about {needed:,} samples{sources} would tell, if they go on like these {n:,}"
    return Judgement(verdict, f"{known}; {more}", needed)
