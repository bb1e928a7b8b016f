"""Which scorer a language model is measured by: its data and both tokenizers say."""

from __future__ import annotations

from edgekit.data.sample import Sample
from edgekit.errors import DataError
from edgekit.evaluation.bits import BitsPerByte
from edgekit.evaluation.choices import MultipleChoice
from edgekit.evaluation.score import Change, Score, Scorer
from edgekit.evaluation.tokens import Perplexity
from edgekit.types import Result, TokenScores


def language_scorer(labelled: bool) -> Scorer:
    """Of texts, or of questions with answers to choose from, which have a right one."""
    return MultipleChoice() if labelled else Texts()


class Texts:
    """Perplexity where both sides cut texts alike, bits per byte where not; the first text tells.

    Args:
        measured: whether to take other measures too.
    """

    def __init__(self, measured: bool = True) -> None:
        self._measured = measured
        self._scorer: Scorer | None = None

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        if self._scorer is None:
            apart = cut_apart(reference, candidate)
            self._scorer = BitsPerByte(self._measured) if apart else Perplexity(False, self._measured)
        return self._scorer.add(sample, reference, candidate)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        if self._scorer is None:
            raise DataError("no text to compare")
        return self._scorer.score()

    def primary(self) -> Texts:
        """Without measures; see :class:`edgekit.evaluation.score.Scorer`."""
        return Texts(measured=False)


def cut_apart(reference: Result, candidate: Result) -> bool:
    """Whether both say what they cut texts with, and it is not the same."""
    if not isinstance(reference, TokenScores) or not isinstance(candidate, TokenScores):
        return False
    return bool(reference.tokenizer and candidate.tokenizer and reference.tokenizer != candidate.tokenizer)
