"""Everything that a measurement runs over, and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.data.clip import is_clip
from edgekit.data.folder import open_file, open_folder
from edgekit.data.labels import LabelIndex
from edgekit.data.provided import open_provided
from edgekit.data.sample import Sample, Source, TruthKind
from edgekit.data.spec import FORMS, DataSpec, parse_spec
from edgekit.data.table import TABLE_SUFFIXES, open_table
from edgekit.errors import DataError, UsageError
from edgekit.processing.picture_files import is_picture

_TRUTH_OF_TASK: dict[str, TruthKind] = {"classify": "label", "ocr": "text"}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples of one or more sources, decoded one by one as they are asked for: memory stays constant.

    Attributes:
        specs: the specifications it was opened from.
        sources: the files, in order.
        picked: running numbers of the samples to use, or ``None`` for all of them.
    """

    specs: tuple[str, ...]
    sources: tuple[Source, ...]
    picked: frozenset[int] | None = None

    def __len__(self) -> int:
        return sum(s.count for s in self.sources) if self.picked is None else len(self.picked)

    def __iter__(self) -> Iterator[Sample]:
        first = 0
        for source in self.sources:
            numbers = range(first, first + source.count)
            first += source.count
            if self.picked is None:
                yield from source.samples()
            elif not self.picked.isdisjoint(numbers):
                last = max(self.picked.intersection(numbers))
                for number, sample in zip(numbers, source.samples(), strict=True):
                    if number in self.picked:
                        yield sample
                    if number == last:
                        break

    @property
    def truth(self) -> TruthKind:
        """What is known about the samples: their label, their text, or nothing."""
        return self.sources[0].truth

    @property
    def digests(self) -> frozenset[str]:
        """SHA-256 of every source's content; see :func:`refuse_overlap`."""
        return frozenset(source.sha256 for source in self.sources)

    @property
    def sha256(self) -> str:
        """Digest of contents, truths and how samples are taken; paths do not enter."""
        digest = hashlib.sha256(b"edgekit-dataset/1\n")
        for source in self.sources:
            digest.update(f"{source.sha256}\t{source.recipe}\n".encode())
        if self.picked is not None:
            digest.update(",".join(str(n) for n in sorted(self.picked)).encode())
        return digest.hexdigest()

    def limited(self, n: int, seed: int = 0) -> Dataset:
        """At most ``n`` samples, drawn evenly by ``seed``; the order stays."""
        numbers = range(sum(s.count for s in self.sources)) if self.picked is None else sorted(self.picked)
        if len(numbers) <= n:
            return self
        chosen = np.random.default_rng(seed).permutation(len(numbers))[:n]
        return Dataset(self.specs, self.sources, frozenset(numbers[i] for i in chosen.tolist()))


def open_data(specs: Sequence[str], task: str, labels: Sequence[str] = ()) -> Dataset:
    """Opens data: files are hashed and checked to be whole, nothing is decoded yet.

    Args:
        specs: folders, pictures, videos, tables, or ``rendered:lines?n=2000``; with options as in a URL:
            ``photos?crops=14&seed=1``, ``clip.mp4?frames=400``.
        task: the task's name, which says whether a truth is a label or a text.
        labels: the model's labels, in the order of its classes.

    Raises:
        DataError: nothing there, something unreadable, a label that the model does not know, or truths for
            some of the data only.
        UsageError: a specification that cannot be understood.
        EnvironmentLacks: rendered data without edgekit-export.
    """
    if not specs:
        raise UsageError("data: got nothing", f"expected {FORMS}")
    wanted = _TRUTH_OF_TASK.get(task)
    if wanted is None:
        raise UsageError(
            f"data: no data for the task {task!r}", f"tasks: {', '.join(sorted(_TRUTH_OF_TASK))}"
        )
    index = LabelIndex(labels) if wanted == "label" else None
    sources: list[Source] = []
    for text in specs:
        sources += _open_one(parse_spec(text), index, wanted)
    _check_truths(sources, wanted)
    return Dataset(tuple(specs), tuple(sources))


def refuse_overlap(calibration: Collection[str], evaluation: Collection[str]) -> None:
    """Checks that no picture, clip or rendered line serves both to calibrate and to evaluate.

    Args:
        calibration: digests of the calibration data; see :attr:`Dataset.digests`.
        evaluation: those of the evaluation data.

    Raises:
        DataError: some content is in both.
    """
    both = set(calibration) & set(evaluation)
    if both:
        raise DataError(
            f"calibration and evaluation share {len(both)} of {len(set(evaluation))} pictures or clips "
            f"(SHA-256 {min(both)[:16]}…)",
            "evaluate on data that the model was not calibrated on",
        )


def _open_one(spec: DataSpec, index: LabelIndex | None, wanted: TruthKind) -> Sequence[Source]:
    path = Path(spec.what)
    if spec.provider and not path.exists():
        return open_provided(spec)
    if path.is_dir():
        return open_folder(spec, index)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder", f"expected {FORMS}")
    if not path.is_file():  # reading a pipe would wait for ever
        raise DataError(f"{path}: expected a file or a folder, got a pipe or a device", f"give it {FORMS}")
    if path.suffix.lower() in TABLE_SUFFIXES:
        return open_table(spec, index, wanted)
    if is_picture(path) or is_clip(path):
        return open_file(spec)
    raise DataError(f"{path}: cannot tell what data this is from its ending", f"expected {FORMS}")


def _check_truths(sources: Sequence[Source], wanted: TruthKind) -> None:
    known = sum(source.truth != "none" for source in sources)
    if 0 < known < len(sources):
        raise DataError(
            f"data: {known} of {len(sources)} pictures have a {wanted}, the others have none",
            "measure labelled and unlabelled data apart",
        )
    for source in sources:
        if source.truth not in ("none", wanted):
            raise DataError(f"{source.id}: comes with a {source.truth}, this task needs a {wanted}")
