"""Feeds to calibrate on: what each graph of the reference is given when it runs over the calibration data.

They are gathered by running the task itself, so that a recogniser sees the very crops that its detector makes,
and kept on disk, so that memory stays constant however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from edgekit.tasks.protocol import Task
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Content


class Feeds:
    """Feeds of one graph; can be iterated again and again, always in the same order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, feed: Mapping[str, Array]) -> None:
        """Stores one feed: input name → array."""
        np.savez(self._folder / f"{self._count:06}.npz", **dict(feed))
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[dict[str, Array]]:
        for i in range(self._count):
            with np.load(self._folder / f"{i:06}.npz") as stored:
                yield {name: stored[name] for name in stored.files}


def gather(
    task: Task, inputs: Iterable[Content], roles: Iterable[str], folder: Path, advance: Callable[[], None]
) -> dict[str, Feeds]:
    """Runs ``task`` over ``inputs`` and keeps what each of its graphs was given.

    Args:
        task: the full-precision variant.
        inputs: calibration data.
        roles: graphs of the task.
        folder: where feeds are kept.
        advance: called after each input.

    Returns:
        Role → feeds, which are empty for a graph that was never called.
    """
    feeds = {role: Feeds(folder / role) for role in roles}
    for given in inputs:
        trace = Trace()
        task(given, trace)
        for call in trace.calls:
            feeds[call.role].append(call.feeds)
        advance()
    return feeds
