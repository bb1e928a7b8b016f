"""Error rates of text readers and transcribers or, without the true text, how far they read apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal, TypeAlias

from edgekit.data.sample import Sample
from edgekit.errors import DataError
from edgekit.evaluation.measure import in_points, of_shares
from edgekit.evaluation.outcome import Flips, Measure
from edgekit.evaluation.paired import PairedShares
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.tally import RatioTally, Tally, agreement
from edgekit.statistics.edits import page_edits
from edgekit.statistics.interval import Interval
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.types import Generation, Result, TextRegions

Unit: TypeAlias = Literal["character", "word"]

_RATE = "edits that make the read {unit}s of the true ones, over the {unit}s of the true text"
_DISAGREEMENT = (
    "edits between what both read, over the {unit}s that the reference read; "
    "without the true text this bounds the rise of the {unit} error rate from above"
)
_EXACT = "share of samples that are read without an edit"
_METRIC: dict[Unit, Literal["cer", "wer"]] = {"character": "cer", "word": "wer"}
_OTHER: dict[Unit, Unit] = {"character": "word", "word": "character"}

SEPARATOR = " / "  # between lines, where a page is told in one


def plain_lines(text: str) -> list[str]:
    """The lines as compared: Unicode NFC, white space as single spaces, none at the ends, no empty line."""
    lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", text).split("\n"))
    return [line for line in lines if line]


def spoken_line(text: str) -> list[str]:
    """Speech as compared, in one line or none: it has neither case nor punctuation.

    Unicode NFKC, lower case, without punctuation and symbols (categories P and S: an apostrophe leaves no gap,
    all others one space), white space as single spaces.
    """
    lower = unicodedata.normalize("NFKC", text).lower().replace("'", "").replace("’", "")
    plain = "".join(" " if unicodedata.category(c)[0] in "PS" else c for c in lower)
    return plain_lines(" ".join(plain.split()))


class _ErrorCount:
    """Edits of both sides and the length of the text, in one unit."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self._edits = [0, 0]  # reference, candidate
        self.rise = RatioTally()

    def add(self, cluster: str, text: list[str], read: list[str], other: list[str]) -> tuple[int, int, int]:
        """Adds one sample; edits of the reference, of the candidate, and the length of the text."""
        if self.unit == "word":
            text, read, other = _as_symbols(text, read, other)
        edits = page_edits(read, text, self._between), page_edits(other, text, self._between)
        length = sum(map(len, text))
        self._edits[0] += edits[0]
        self._edits[1] += edits[1]
        self.rise.add(cluster, edits[1] - edits[0], length)
        return *edits, length

    @property
    def _between(self) -> str:
        return " " if self.unit == "character" else ""

    def rates(self) -> tuple[float, float, float]:
        """Error rates of reference and candidate, and the rise; 0 without any text."""
        length = max(self.rise.weight, 1.0)
        return self._edits[0] / length, self._edits[1] / length, (self._edits[1] - self._edits[0]) / length

    def measure(self) -> Measure:
        """As a measure beside another metric."""
        meaning = _RATE.format(unit=self.unit)
        return in_points(_METRIC[self.unit], meaning, *self.rates(), self.rise.moments().interval())


class _TextErrors:
    """What both scorers of texts have in common: they differ in what they count and how they read a result."""

    def __init__(
        self,
        unit: Unit,
        lines_of: Callable[[Result], list[str]],
        true_lines: Callable[[str], list[str]],
        labelled: bool,
        measured: bool,
    ) -> None:
        self._labelled = labelled
        self._lines_of = lines_of
        self._true_lines = true_lines
        self._errors = _ErrorCount(unit)
        self._other = _ErrorCount(_OTHER[unit]) if measured and labelled else None
        self._exact, self._changed = PairedShares(), Tally()

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        read, other = self._lines_of(reference), self._lines_of(candidate)
        truth = self._true_lines(sample.truth) if isinstance(sample.truth, str) else None
        text = read if truth is None else truth
        was, now, length = self._errors.add(sample.cluster, text, read, other)
        if self._other is not None:
            self._other.add(sample.cluster, text, read, other)
        if self._labelled:
            self._exact.add(sample.cluster, was == 0, now == 0)
        self._changed.add(sample.cluster, read != other)
        severity = max((now - was) / max(length, 1), 0.0)
        words = None if truth is None else SEPARATOR.join(truth)
        return Change(read != other, severity, SEPARATOR.join(read), SEPARATOR.join(other), words)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        labelled, unit, n = self._labelled, self._errors.unit, self._changed.n
        if self._errors.rise.weight == 0:
            whose = "the true texts have" if labelled else "the reference reads"
            raise DataError(f"{whose} no {unit} in {n} samples", "measure on samples with text")
        reference, candidate, drop = self._errors.rates()
        agree, agree_interval = agreement(self._changed)
        exact, changed = self._exact, round(self._changed.total)
        return Score(
            metric=_METRIC[unit] if labelled else "disagreement",
            meaning=(_RATE if labelled else _DISAGREEMENT).format(unit=unit),
            reference=reference,
            candidate=candidate,
            drop=drop,
            interval_at=self._interval,
            flips=Flips(changed, exact.lost if labelled else None, exact.gained if labelled else None),
            agreement=agree,
            agreement_interval=agree_interval,
            clusters=len(self._changed),
            mcnemar_p=exact.mcnemar_p if labelled else None,
            measures=self._measures(),
        )

    def _measures(self) -> tuple[Measure, ...]:
        if self._other is None:
            return ()
        return self._other.measure(), of_shares("exact_match", _EXACT, self._exact)

    def _interval(self, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
        found = self._errors.rise.moments().interval(scale, confidence)
        return found if self._labelled else Interval(max(found.low, 0.0), found.high)


class CharacterErrors(_TextErrors):
    """Scorer of ``ocr``: character error rate; see :class:`edgekit.evaluation.score.Scorer`.

    A change's severity is how many more edits the candidate needs than the reference, over the characters of
    the text; without the true text, the edits between both.

    Args:
        labelled: whether samples have their true text.
        measured: whether to count words as well.
    """

    def __init__(self, labelled: bool, measured: bool = True) -> None:
        super().__init__("character", _read_lines, plain_lines, labelled, measured)

    def primary(self) -> CharacterErrors:
        """Without measures; see :class:`edgekit.evaluation.score.Scorer`."""
        return CharacterErrors(self._labelled, measured=False)


class WordErrors(_TextErrors):
    """Scorer of ``transcribe``: word error rate; see :class:`edgekit.evaluation.score.Scorer`.

    Texts are compared as speech, see :func:`spoken_line`. Severity is that of :class:`CharacterErrors`, in
    words.

    Args:
        labelled: whether samples have their true text.
        measured: whether to count characters as well.
    """

    def __init__(self, labelled: bool, measured: bool = True) -> None:
        super().__init__("word", _heard_line, spoken_line, labelled, measured)

    def primary(self) -> WordErrors:
        """Without measures; see :class:`edgekit.evaluation.score.Scorer`."""
        return WordErrors(self._labelled, measured=False)


def _read_lines(result: Result) -> list[str]:
    if not isinstance(result, TextRegions):
        raise TypeError(f"expected text regions, got {type(result)}")
    return plain_lines(result.text)


def _heard_line(result: Result) -> list[str]:
    if not isinstance(result, Generation):
        raise TypeError(f"expected a text, got {type(result)}")
    return spoken_line(result.text)


def _as_symbols(*pages: list[str]) -> list[list[str]]:
    """The same lines with one character for each word, equal words alike."""
    symbols: dict[str, str] = {}
    return [
        ["".join(symbols.setdefault(word, chr(len(symbols))) for word in line.split()) for line in page]
        for page in pages
    ]
