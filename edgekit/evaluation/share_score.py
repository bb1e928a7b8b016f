"""The score of tasks whose answers are right or wrong, as a whole."""

from __future__ import annotations

from functools import partial

from edgekit.evaluation.outcome import Flips, Measure, Metric
from edgekit.evaluation.paired import PairedShares
from edgekit.evaluation.score import Score
from edgekit.evaluation.tally import Tally, agreement, share_interval


def share_score(
    labelled: tuple[Metric, str],
    unlabelled: str,
    shares: PairedShares | None,
    changed: Tally,
    measures: tuple[Measure, ...],
) -> Score:
    """The share that is right, or without labels the share that came out differently.

    Args:
        labelled: what the share is called and what it is, where there are labels.
        unlabelled: what it is without.
        shares: of right answers; ``None`` without labels.
        changed: 1 for each sample that came out differently.
        measures: what is told beside it.
    """
    n, differing = changed.n, round(changed.total)
    agree, agree_interval = agreement(changed)
    return Score(
        metric="disagreement" if shares is None else labelled[0],
        meaning=unlabelled if shares is None else labelled[1],
        reference=0.0 if shares is None else shares.reference,
        candidate=differing / n if shares is None else shares.candidate,
        drop=differing / n if shares is None else shares.drop,
        interval_at=partial(share_interval, changed) if shares is None else shares.interval,
        flips=Flips(differing, *((None, None) if shares is None else (shares.lost, shares.gained))),
        agreement=agree,
        agreement_interval=agree_interval,
        clusters=len(changed),
        mcnemar_p=None if shares is None else shares.mcnemar_p,
        measures=measures,
    )
