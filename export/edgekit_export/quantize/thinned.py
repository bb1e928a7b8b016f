"""A few of many samples, evenly, without holding them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice

from edgekit_export.quantize.tap import Batch


class Thinned:
    """At most ``count`` of the batches: evenly spread where their number is known, else the first ones.

    Can be iterated as often as what it is made of.

    Attributes:
        numbers: running numbers of the batches that are taken, rising.
    """

    def __init__(self, batches: Iterable[Batch], count: int) -> None:
        length = len(batches) if isinstance(batches, Sized) else count
        self._batches = batches
        self.numbers: Sequence[int] = (
            [i * length // count for i in range(count)] if length > count else range(length)
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Batch]:
        picked = frozenset(self.numbers)
        for position, batch in enumerate(islice(self._batches, max(picked, default=-1) + 1)):
            if position in picked:
                yield batch
