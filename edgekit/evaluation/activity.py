"""How often two voice activity detectors hear speech in different frames."""

from __future__ import annotations

import numpy as np

from edgekit.data.sample import Sample
from edgekit.errors import DataError, UsageError
from edgekit.evaluation.outcome import Flips
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.tally import RatioTally
from edgekit.statistics.interval import Interval
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.types import Result, VoiceActivity

_DISAGREEMENT = (
    "frames in which one hears speech and the other does not, over all frames; without knowing where speech is, this "
    "bounds the rise of the error rate from above"
)


class FrameAgreement:
    """Scorer of ``activity``; see :class:`edgekit.evaluation.score.Scorer`.

    A frame is decided by its score and the head's threshold. Sounds are the clusters: frames of one resemble each
    other. A change's severity is the share of a sound's frames that differ.

    Args:
        labelled: nothing is known of where speech is; given so that all scorers are made alike.
    """

    def __init__(self, labelled: bool) -> None:
        self._labelled = labelled
        self._changed = RatioTally()
        self._flips = 0

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sound; see :class:`edgekit.evaluation.score.Scorer`.

        Raises:
            UsageError: the two have frames of different length.
        """
        if not isinstance(reference, VoiceActivity) or not isinstance(candidate, VoiceActivity):
            raise TypeError(f"expected voice activity, got {type(reference)} and {type(candidate)}")
        if len(reference.scores) != len(candidate.scores):
            raise UsageError(
                f"{sample.id}: {len(reference.scores)} frames of the reference, "
                f"{len(candidate.scores)} of the candidate",
                "compare variants of the same model",
            )
        differ = int(np.count_nonzero(reference.speech != candidate.speech))
        frames = len(reference.scores)
        self._changed.add(sample.cluster, differ, frames)
        self._flips += differ
        was, now = (f"{side.seconds_of_speech:.2f} s of speech" for side in (reference, candidate))
        return Change(differ > 0, differ / frames, was, now, None)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        frames = self._changed.weight
        if not frames:
            raise DataError("no frame to compare", "measure on sounds")
        share, interval = self._flips / frames, self._interval()
        return Score(
            metric="disagreement",
            meaning=_DISAGREEMENT,
            reference=0.0,
            candidate=share,
            drop=share,
            interval_at=self._interval,
            flips=Flips(self._flips, None, None),
            agreement=1 - share,
            agreement_interval=Interval(1 - interval.high, 1 - interval.low),
            clusters=len(self._changed),
            mcnemar_p=None,
        )

    def _interval(self, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
        return self._changed.moments().interval(scale, confidence).clipped(0.0, 1.0)

    def primary(self) -> FrameAgreement:
        """A new, empty one; see :class:`edgekit.evaluation.score.Scorer`."""
        return FrameAgreement(self._labelled)
