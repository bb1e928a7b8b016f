"""Everything that a measurement runs over, and its digest."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np

from edgekit.data.multiple_choice import ChoiceQuestion
from edgekit.data.need import need_of
from edgekit.data.passage import Passage
from edgekit.data.sample import InputKind, Sample, Source, TruthKind
from edgekit.data.sources import open_sources
from edgekit.data.spec import FORMS, parse_spec
from edgekit.errors import DataError, UsageError

_NAMED: dict[TruthKind, str] = {
    "label": "a label",
    "text": "a text",
    "answers": "answers",
    "boxes": "boxes",
    "none": "no truth",
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples of one or more sources, decoded one by one as they are asked for: memory stays constant.

    Attributes:
        specs: the specifications it was opened from.
        sources: the files, in order.
        picked: running numbers of the samples to use, or ``None`` for all of them.
        groups: of each source, the group of its samples that name none; empty if all of them name none.
    """

    specs: tuple[str, ...]
    sources: tuple[Source, ...]
    picked: frozenset[int] | None = None
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.groups and len(self.groups) != len(self.sources):
            raise DataError(f"data: expected {len(self.sources)} groups, got {len(self.groups)}")

    def __len__(self) -> int:
        return self._total if self.picked is None else len(self.picked)

    def __iter__(self) -> Iterator[Sample]:
        return (sample for _, sample in self.numbered())

    @property
    def numbers(self) -> Sequence[int]:
        """Running numbers of the samples, rising."""
        return range(self._total) if self.picked is None else sorted(self.picked)

    def numbered(self) -> Iterator[tuple[int, Sample]]:
        """All samples in order, each with its number: it runs over all sources, picked or not."""
        return self._walk(self.numbers)

    def at(self, numbers: Iterable[int]) -> Iterator[tuple[int, Sample]]:
        """Some of the samples with their numbers, in rising order, each once.

        Raises:
            DataError: a number that none of these samples has.
        """
        wanted = sorted(set(numbers))
        known = range(self._total) if self.picked is None else self.picked
        for number in wanted:
            if number not in known:
                raise DataError(f"data: no sample has the number {number} (there are {len(self)})")
        return self._walk(wanted)

    def _walk(self, wanted: Sequence[int]) -> Iterator[tuple[int, Sample]]:
        first = done = 0
        for source, group in zip(self.sources, self.groups or repeat(""), strict=False):
            end = first + source.count
            upto = bisect_left(wanted, end, done)
            for number, sample in _some(source, first, wanted[done:upto]):
                yield number, replace(sample, group=group) if group and not sample.group else sample
            first, done = end, upto

    @property
    def _total(self) -> int:
        return sum(source.count for source in self.sources)

    @property
    def truth(self) -> TruthKind:
        """What is known about the samples: their label, their text, or nothing."""
        return self.sources[0].truth

    @property
    def digests(self) -> frozenset[str]:
        """SHA-256 of every source's content, and of the text files that some are part of.

        See :func:`refuse_overlap`.
        """
        wholes = {s.whole_sha256 for s in self.sources if isinstance(s, Passage)} - {""}
        return frozenset(source.sha256 for source in self.sources) | wholes

    @property
    def sha256(self) -> str:
        """Digest of contents, truths and how samples are taken.

        Paths and groups do not enter: they change neither a sample nor its truth, so predictions that were
        recorded stay good for another grouping.
        """
        digest = hashlib.sha256(b"edgekit-dataset/1\n")
        for source in self.sources:
            digest.update(f"{source.sha256}\t{source.recipe}\n".encode())
        if self.picked is not None:
            digest.update(",".join(str(n) for n in sorted(self.picked)).encode())
        return digest.hexdigest()

    def limited(self, n: int, seed: int = 0) -> Dataset:
        """At most ``n`` samples, drawn evenly by ``seed``; the order stays."""
        numbers = range(self._total) if self.picked is None else sorted(self.picked)
        if len(numbers) <= n:
            return self
        chosen = np.random.default_rng(seed).permutation(len(numbers))[:n]
        return replace(self, picked=frozenset(numbers[i] for i in chosen.tolist()))


def open_data(
    specs: Sequence[str], task: str, labels: Sequence[str] = (), accepts: InputKind | None = None
) -> Dataset:
    """Opens data: files are hashed and checked to be whole, nothing is decoded yet.

    With several specifications, each is the group of those of its samples that name none.

    Args:
        specs: folders, pictures, videos, texts, tables, COCO's or VQA's JSON, or ``rendered:lines?n=2000``;
            with options as in a URL: ``photos?crops=14&seed=1``, ``clip.mp4?frames=400``.
        task: the task's name, which says what its input and its truth are.
        labels: the model's labels, in the order of its classes.
        accepts: what the model is given, where that is known.

    Raises:
        DataError: nothing there, something unreadable, a label that the model does not know, or truths for
            some of the data only.
        UsageError: a specification that cannot be understood.
        EnvironmentLacks: rendered data without edgekit-export.
    """
    if not specs:
        raise UsageError("data: got nothing", f"expected {FORMS}")
    need = need_of(task, labels, accepts)
    opened = [open_sources(parse_spec(text), need) for text in specs]
    sources = [source for found in opened for source in found]
    choices = task == "generate" and any(isinstance(source, ChoiceQuestion) for source in sources)
    _check_truths(sources, "label" if choices else need.truth)
    groups = [name for name, found in zip(_group_names(specs), opened, strict=True) for _ in found]
    return Dataset(tuple(specs), tuple(sources), None, tuple(groups) if len(specs) > 1 else ())


DIGEST_START = 16
"""Digits of a SHA-256 that tell sources apart in a bundle."""


def digest_starts(digests: Collection[str]) -> tuple[str, ...]:
    """The first digits of each, sorted: what a bundle's lock keeps of its calibration data."""
    return tuple(sorted({digest[:DIGEST_START] for digest in digests}))


def refuse_overlap(
    calibration: Collection[str], evaluation: Collection[str], what: str = "calibration"
) -> None:
    """Checks that no picture, clip, text or rendered line serves both to calibrate and to evaluate.

    Args:
        calibration: digests of the calibration data, see :attr:`Dataset.digests`, or their starts.
        evaluation: those of the evaluation data.
        what: the former, for messages.

    Raises:
        DataError: some content is in both.
    """
    both = set(digest_starts(calibration)) & set(digest_starts(evaluation))
    if both:
        raise DataError(
            f"{what} and evaluation share {len(both)} of {len(set(evaluation))} pictures, clips or texts "
            f"(SHA-256 {min(both)}…)",
            f"evaluate on data that is not of the {what}",
        )


def _some(source: Source, first: int, wanted: Sequence[int]) -> Iterator[tuple[int, Sample]]:
    """The wanted ones of a source whose samples are numbered from ``first``."""
    if not wanted:
        return
    left = iter(wanted)
    next_wanted = next(left)
    for number, sample in enumerate(source.samples(), first):
        if number == next_wanted:
            yield number, sample
            if (following := next(left, None)) is None:
                return
            next_wanted = following
    raise DataError(f"{source.id}: expected {source.count} samples, got fewer")


def _group_names(specs: Sequence[str]) -> list[str]:
    """The specifications without the folders that lead there, unless two would then be called the same."""
    short = []
    for text in specs:
        what, mark, query = text.partition("?")
        short.append((what.rstrip("/").rsplit("/", 1)[-1] or what) + mark + query)
    return short if len(set(short)) == len(short) else list(specs)


def _check_truths(sources: Sequence[Source], wanted: TruthKind) -> None:
    known = [source for source in sources if source.truth != "none"]
    for source in known:
        if source.truth != wanted:
            raise DataError(
                f"{source.id}: comes with {_NAMED[source.truth]}, this task needs {_NAMED[wanted]}"
            )
    if 0 < len(known) < len(sources):
        raise DataError(
            f"data: {len(known)} of {len(sources)} sources come with {_NAMED[wanted]}, the others with none",
            "measure labelled and unlabelled data apart",
        )
