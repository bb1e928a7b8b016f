"""Exact match of answers to questions or, without the right answers, how often the answer differs."""

from __future__ import annotations

import re
import unicodedata

from edgekit.data.sample import Sample
from edgekit.evaluation.measure import in_points
from edgekit.evaluation.outcome import Measure
from edgekit.evaluation.paired import PairedShares
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.share_score import share_score
from edgekit.evaluation.tally import RatioTally, Tally
from edgekit.types import Generation, Result

VQA_ANSWERS = 10
"""People who answered each question of VQA."""

ENOUGH = 3
"""People who must have given an answer for it to be wholly right."""

_EXACT = "share of questions whose answer, without case, punctuation and articles, is among the accepted ones"
_VQA = f"VQA accuracy: min(1, people who gave this answer / {ENOUGH}), mean over all choices of 9 of the 10 people"
_DISAGREEMENT = (
    "share of questions whose answer, without case, punctuation and articles, differs from the reference's; "
    "without the right answers this bounds the drop of exact match from above"
)

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS)} | {"none": "0"}
_ARTICLES = frozenset({"a", "an", "the"})
_BETWEEN_DIGITS = re.compile(r"(?<=\d),(?=\d)")
_FULL_STOP = re.compile(r"\.(?!\d)")


def plain_answer(text: str) -> str:
    """An answer as compared: the rule of VQA's evaluation (Antol et al., ICCV 2015; ``vqaEval.py``).

    NFKC, lower case; commas between digits and apostrophes vanish (VQA has a table of contractions instead,
    which makes ``dont`` and ``don't`` equal, too); a full stop stays where a digit follows; all other
    punctuation and symbols become spaces; the articles a, an, the vanish, unless nothing else is there;
    ``none`` and the numbers zero to ten are written in digits; words are one space apart.
    """
    lower = unicodedata.normalize("NFKC", text).lower().replace("'", "").replace("’", "")
    kept = _FULL_STOP.sub(" ", _BETWEEN_DIGITS.sub("", lower))
    spaced = "".join(" " if unicodedata.category(c)[0] in "PS" and c != "." else c for c in kept)
    words = spaced.split()
    return " ".join(_DIGITS.get(word, word) for word in words if word not in _ARTICLES) or " ".join(words)


def vqa_accuracy(answer: str, people: tuple[str, ...]) -> float:
    """How right an answer is by the people who were asked, 0 to 1.

    ``min(1, matches / 3)`` over all but one person, averaged over who is left out, as VQA's evaluation does it
    so that people can be scored against each other the same way.

    Args:
        answer: plain, see :func:`plain_answer`.
        people: what each said, plain; at least two.
    """
    matches, n = people.count(answer), len(people)
    without_match, without_other = min(1.0, (matches - 1) / ENOUGH), min(1.0, matches / ENOUGH)
    return (matches * without_match + (n - matches) * without_other) / n


class ExactMatch:
    """Scorer of ``vision_language``; see :class:`edgekit.evaluation.score.Scorer`.

    A change's severity is 2 where a right answer became wrong, 1 where it changed otherwise.

    Args:
        labelled: whether samples have accepted answers.
        measured: whether to take VQA's accuracy too, which is told where every sample has ten answers.
    """

    def __init__(self, labelled: bool, measured: bool = True) -> None:
        self._labelled = labelled
        self._shares, self._changed = PairedShares(), Tally()
        self._measured = measured and labelled
        self._vqa = RatioTally()
        self._vqa_sums = [0.0, 0.0]  # reference, candidate

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        if not isinstance(reference, Generation) or not isinstance(candidate, Generation):
            raise TypeError(f"expected texts, got {type(reference)} and {type(candidate)}")
        answer, other = plain_answer(reference.text), plain_answer(candidate.text)
        self._changed.add(sample.cluster, answer != other)
        accepted = _accepted(sample)
        was, now = answer in accepted, other in accepted
        if self._labelled:
            self._shares.add(sample.cluster, was, now)
        if self._measured:
            self._add_vqa(sample.cluster, accepted, answer, other)
        words = " / ".join(dict.fromkeys(accepted)) if accepted else None
        severity = 0.0 if answer == other else 2.0 if was and not now else 1.0
        return Change(answer != other, severity, reference.text.strip(), candidate.text.strip(), words)

    def _add_vqa(self, cluster: str, accepted: tuple[str, ...], answer: str, other: str) -> None:
        if len(accepted) != VQA_ANSWERS:
            self._measured = False  # one question without ten people: there is no mean over all
            return
        was, now = vqa_accuracy(answer, accepted), vqa_accuracy(other, accepted)
        self._vqa_sums[0] += was
        self._vqa_sums[1] += now
        self._vqa.add(cluster, was - now, 1.0)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        shares = self._shares if self._labelled else None
        measures = (self._vqa_measure(self._changed.n),) if self._measured else ()
        return share_score(("exact_match", _EXACT), _DISAGREEMENT, shares, self._changed, measures)

    def primary(self) -> ExactMatch:
        """Without measures; see :class:`edgekit.evaluation.score.Scorer`."""
        return ExactMatch(self._labelled, measured=False)

    def _vqa_measure(self, n: int) -> Measure:
        was, now = self._vqa_sums
        moments = self._vqa.moments()
        return in_points("vqa_accuracy", _VQA, was / n, now / n, moments.ratio, moments.interval())


def _accepted(sample: Sample) -> tuple[str, ...]:
    return tuple(map(plain_answer, sample.truth)) if isinstance(sample.truth, tuple) else ()
