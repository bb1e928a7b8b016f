"""Feeds to calibrate on: what each graph of the reference is given when it runs over the calibration data.

They are gathered by running the task itself, so that a recogniser sees the very crops that its detector makes,
and kept on disk, so that memory stays constant however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from edgekit.tasks.protocol import Task
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Content

_FOLD = 5


class Feeds:
    """Feeds of one graph; can be iterated again and again, always in the same order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sources: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, feed: Mapping[str, Array], source: str) -> None:
        """Stores one feed, input name → array, and what it was taken from."""
        np.savez(self._folder / f"{len(self):06}.npz", **dict(feed))
        self._sources.append(source)

    def __len__(self) -> int:
        return len(self._sources)

    def __iter__(self) -> Iterator[dict[str, Array]]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, number: int) -> dict[str, Array]:
        """One feed, by its number."""
        with np.load(self._folder / f"{number:06}.npz") as stored:
            return {name: stored[name] for name in stored.files}

    def held(self, numbers: Sequence[int]) -> list[int]:
        """Of the feeds of these numbers those of every fifth source: they judge what was fitted to the others.

        Crops of one photo resemble each other, so sources are parted; feeds are where all come from one source.
        """
        sources = [self._sources[number] for number in numbers]
        places = {source: place for place, source in enumerate(dict.fromkeys(sources))}
        marks = [places[source] for source in sources] if len(places) > 1 else range(len(numbers))
        count = max(marks, default=-1) + 1
        last = count - 1 if 1 < count < _FOLD else -1
        return [
            number
            for number, mark in zip(numbers, marks, strict=True)
            if mark % _FOLD == _FOLD - 1 or mark == last
        ]


def gather(
    task: Task,
    inputs: Iterable[tuple[str, Content]],
    roles: Iterable[str],
    folder: Path,
    advance: Callable[[], None],
) -> dict[str, Feeds]:
    """Runs ``task`` over ``inputs`` and keeps what each of its graphs was given.

    Args:
        task: the full-precision variant.
        inputs: calibration data, each with what it was taken from.
        roles: graphs of the task.
        folder: where feeds are kept.
        advance: called after each input.

    Returns:
        Role → feeds, which are empty for a graph that was never called.
    """
    feeds = {role: Feeds(folder / role) for role in roles}
    for source, given in inputs:
        trace = Trace()
        task(given, trace)
        for call in trace.calls:
            feeds[call.role].append(call.feeds, source)
        advance()
    return feeds
