"""Character error rate of text readers or, without the true text, how far they read apart."""

from __future__ import annotations

import unicodedata

from edgekit.data.sample import Sample
from edgekit.errors import DataError
from edgekit.evaluation.outcome import Flips
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.tally import Tally, share_interval
from edgekit.statistics.edits import page_edits
from edgekit.statistics.interval import Interval
from edgekit.statistics.paired import mcnemar_exact
from edgekit.statistics.ratio import ratio_moments
from edgekit.types import Result, TextRegions

_CER = "edits that make the read lines of the true ones, over the characters of the true text"
_DISAGREEMENT = (
    "edits between the lines of both, over the characters that the reference read; "
    "without the true text this bounds the rise of the character error rate from above"
)


SEPARATOR = " / "  # between lines, where a page is told in one


def plain_lines(text: str) -> list[str]:
    """The lines as compared: Unicode NFC, white space as single spaces, none at the ends, no empty line."""
    lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", text).split("\n"))
    return [line for line in lines if line]


class CharacterErrors:
    """Scorer of ``ocr``; see :class:`edgekit.evaluation.score.Scorer`.

    A change's severity is how many more edits the candidate needs than the reference, over the characters of
    the text; without the true text, the edits between both.

    Args:
        labelled: whether samples have their true text.
    """

    def __init__(self, labelled: bool) -> None:
        self._labelled = labelled
        self._edits = [0, 0]  # reference, candidate
        self._lost = self._gained = self._n = 0
        self._changed, self._rise, self._characters = Tally(), Tally(), Tally()

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        if not isinstance(reference, TextRegions) or not isinstance(candidate, TextRegions):
            raise TypeError(f"expected text regions, got {type(reference)} and {type(candidate)}")
        read, other = plain_lines(reference.text), plain_lines(candidate.text)
        truth = plain_lines(sample.truth) if isinstance(sample.truth, str) else None
        text = read if truth is None else truth
        edits, characters = (page_edits(read, text), page_edits(other, text)), sum(map(len, text))
        self._n += 1
        self._edits[0] += edits[0]
        self._edits[1] += edits[1]
        self._lost += edits[0] == 0 and edits[1] > 0
        self._gained += edits[1] == 0 and edits[0] > 0
        self._changed.add(sample.cluster, read != other)
        self._rise.add(sample.cluster, edits[1] - edits[0])
        self._characters.add(sample.cluster, characters)
        severity = max((edits[1] - edits[0]) / max(characters, 1), 0.0)
        words = None if truth is None else SEPARATOR.join(truth)
        return Change(read != other, severity, SEPARATOR.join(read), SEPARATOR.join(other), words)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        characters = self._characters.total
        if characters == 0:
            whose = "the true texts have" if self._labelled else "the reference reads"
            raise DataError(f"{whose} no character in {self._n} pictures", "measure on pictures with text")
        labelled = self._labelled
        changed = round(self._changed.total)
        different = share_interval(self._changed)
        independent = len(self._changed) == self._n
        return Score(
            metric="cer" if labelled else "disagreement",
            meaning=_CER if labelled else _DISAGREEMENT,
            reference=self._edits[0] / characters,
            candidate=self._edits[1] / characters,
            drop=(self._edits[1] - self._edits[0]) / characters,
            interval_at=self._interval,
            flips=Flips(changed, self._lost if labelled else None, self._gained if labelled else None),
            agreement=1 - changed / self._n,
            agreement_interval=Interval(1 - different.high, 1 - different.low),
            clusters=len(self._changed),
            mcnemar_p=mcnemar_exact(self._lost, self._gained) if labelled and independent else None,
        )

    def _interval(self, scale: float = 1.0) -> Interval:
        found = ratio_moments(self._rise.sums, self._characters.sums).interval(scale)
        return found if self._labelled else Interval(max(found.low, 0.0), found.high)
