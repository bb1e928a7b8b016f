"""A picture file as a source: the whole picture, or several crops of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from edgekit.data.crops import crop, crop_box
from edgekit.data.pictures import digest_of_picture
from edgekit.data.sample import Sample, Truth, TruthKind, kind_of, recipe_of
from edgekit.processing.images import read_picture
from edgekit.types import Frame


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture file; see :class:`edgekit.data.sample.Source`.

    Attributes:
        known: the truth of all its crops.
        group: the part of the data it belongs to.
    """

    path: Path
    id: str
    sha256: str
    count: int
    seed: int
    known: Truth
    group: str = ""

    @property
    def truth(self) -> TruthKind:
        """What is known about the picture."""
        return kind_of(self.known)

    @property
    def recipe(self) -> str:
        """Number of crops, their seed, and the truth."""
        crops = f"crops={self.count}&seed={self.seed} " if self.count > 1 else ""
        return f"{crops}{recipe_of(self.known)}"

    def samples(self) -> Iterator[Sample]:
        """The crops, from one decoding where they are taken in turn; see :class:`edgekit.data.sample.Source`."""
        decode = lru_cache(maxsize=1)(lambda: read_picture(self.path))
        for i in range(self.count):
            name = f"{self.id}#{i}" if self.count > 1 else self.id
            yield Sample(name, self.sha256, partial(self._crop, decode, i), self.known, self.group)

    def _crop(self, decode: Callable[[], Frame], index: int) -> Frame:
        frame = decode()
        return crop(frame, crop_box(frame.size_wh, self.sha256, self.seed, index))


def open_photo(path: Path, name: str, crops: int, seed: int, truth: Truth, group: str = "") -> Photo:
    """Reads the file once, for its digest and to see that it is whole.

    Raises:
        DataError: it cannot be read, is empty, truncated or not a picture.
    """
    return Photo(path, name, digest_of_picture(path), crops, seed, truth, group)
