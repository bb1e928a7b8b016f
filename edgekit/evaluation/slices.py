"""The primary metric on parts of the samples: classes, groups, conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from edgekit.data.sample import Sample
from edgekit.errors import DataError
from edgekit.evaluation.measure import rounded
from edgekit.evaluation.outcome import Slice
from edgekit.evaluation.score import Change, Scorer
from edgekit.statistics.multiplicity import simultaneous
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.types import Classification, Result

Kind: TypeAlias = Literal["class", "group", "condition"]

KINDS: tuple[Kind, ...] = ("condition", "group", "class")
"""In the order of reports."""

MOST_SLICES = 2000
"""Slices of a kind; where there are more, none of that kind is told."""


@dataclass(slots=True)
class _Part:
    scorer: Scorer
    n: int = 0


@dataclass(slots=True)
class _Parts:
    by_name: dict[str, _Part] = field(default_factory=dict)
    too_many: bool = False


class Slices:
    """Adds up a scorer a slice. Memory grows with the number of slices and of the sources in each.

    Args:
        factory: gives a new scorer; :meth:`edgekit.evaluation.score.Scorer.primary` of the one over all.
    """

    def __init__(self, factory: Callable[[], Scorer]) -> None:
        self._factory = factory
        self._kinds: dict[Kind, _Parts] = {kind: _Parts() for kind in KINDS}

    def add(
        self, kind: Kind, name: str, sample: Sample, reference: Result, candidate: Result
    ) -> Change | None:
        """Adds one sample to the slice ``name`` of this kind; what changed, unless the kind has too many slices."""
        parts = self._kinds[kind]
        if parts.too_many:
            return None
        if name not in parts.by_name:
            if len(parts.by_name) == MOST_SLICES:
                parts.by_name.clear()
                parts.too_many = True
                return None
            parts.by_name[name] = _Part(self._factory())
        part = parts.by_name[name]
        part.n += 1
        return part.scorer.add(sample, reference, candidate)

    @property
    def untold(self) -> tuple[Kind, ...]:
        """Kinds with more than ``MOST_SLICES`` slices, of which none is told."""
        return tuple(kind for kind, parts in self._kinds.items() if parts.too_many)

    def slices(self, confidence: float = CONFIDENCE) -> tuple[Slice, ...]:
        """Kind by kind, each :func:`worst_first`.

        Slices in which nothing can be compared (pages without a character) are left out.

        Args:
            confidence: two-sided level at which the intervals of a kind hold all at once.
        """
        found: list[Slice] = []
        for kind, parts in self._kinds.items():
            each = simultaneous(max(len(parts.by_name), 1), confidence)
            told = (_slice(kind, name, part, each) for name, part in parts.by_name.items())
            found += worst_first(s for s in told if s is not None)
        return tuple(found)


def worst_first(slices: Iterable[Slice]) -> tuple[Slice, ...]:
    """The largest drop first; of equal ones the largest slice, then by name."""
    return tuple(sorted(slices, key=lambda s: (-s.drop, -s.n, s.name)))


def parts_of(sample: Sample, result: Result, condition: str = "") -> Iterator[tuple[Kind, str]]:
    """The slices that a sample belongs to: its condition, or its class and its group.

    Args:
        sample: with its truth and group.
        result: either side's, for the names of the classes.
        condition: what the sample was put under, empty if nothing.
    """
    if condition:
        yield "condition", condition
        return
    if isinstance(sample.truth, int) and isinstance(result, Classification):
        yield "class", result.labels[sample.truth]
    if sample.group:
        yield "group", sample.group


def _slice(kind: Kind, name: str, part: _Part, confidence: float) -> Slice | None:
    try:
        score = part.scorer.score()
    except DataError:
        return None
    interval = score.interval_at(1.0, confidence).scaled(100)
    factor = 100 if score.percent else 1
    return Slice(
        kind=kind,
        name=name,
        n=part.n,
        clusters=score.clusters,
        reference=rounded(factor * score.reference),
        candidate=rounded(factor * score.candidate),
        drop=rounded(100 * score.drop),
        interval=(rounded(interval.low), rounded(interval.high)),
        changed=score.flips.changed,
    )
