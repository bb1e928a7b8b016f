"""A few of many samples, evenly, without holding them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from itertools import islice

from edgekit_export.quantize.tap import Batch


class Thinned:
    """At most ``count`` of the batches: evenly spread where their number is known, else the first ones.

    Can be iterated as often as what it is made of.
    """

    def __init__(self, batches: Iterable[Batch], count: int) -> None:
        length = len(batches) if isinstance(batches, Sized) else count
        self._batches = batches
        self._picked = {i * length // count for i in range(count)} if length > count else None
        self._length = min(length, count)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        if self._picked is None:
            yield from islice(self._batches, self._length)
            return
        for position, batch in enumerate(self._batches):
            if position in self._picked:
                yield batch
