"""What a task is: a picture in, a value type out, its stages told to a trace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from edgekit.engines.protocol import Session
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Frame, Result


class Task(Protocol):
    """One variant of a bundle, loaded. Not thread-safe: one picture at a time.

    Attributes:
        name: the task's name in the registry, e.g. ``classify``.
        bundle_name: name of the bundle it came from.
        variant: name of the variant that runs; it never changes by itself.
        engine: engine and version, as reports name it.
        threads: threads inside one operator.
        sessions: role → loaded graph.
    """

    name: str
    bundle_name: str
    variant: str
    engine: str
    threads: int
    sessions: Mapping[str, Session]

    def __call__(self, image: Frame | Array | str | Path, trace: Trace | None = None) -> Result:
        """Computes the result of one picture.

        Args:
            image: a frame, a ``(height, width, 3)`` uint8 RGB array, a PIL image, or the path of a picture.
            trace: receives stage times and engine calls.

        Raises:
            DataError: the picture cannot be read or has another shape or dtype.
            ModelError: the engine failed.
        """
        ...
