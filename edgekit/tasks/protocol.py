"""What a task is: a picture, text or sound in, a value type out, its stages told to a trace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from edgekit.engines.protocol import Session
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Content, Kind, Result


class Task(Protocol):
    """One variant of a bundle, loaded. Not thread-safe: one input at a time.

    Attributes:
        name: the task's name in the registry, e.g. ``classify``.
        accepts: what it is given.
        bundle_name: name of the bundle it came from.
        variant: name of the variant that runs; it never changes by itself.
        engine: engine and version, as reports name it.
        threads: threads inside one operator.
        sessions: role → loaded graph.
    """

    name: str
    accepts: Kind
    bundle_name: str
    variant: str
    engine: str
    threads: int
    sessions: Mapping[str, Session]

    def __call__(self, given: Content | Array | Path, trace: Trace | None = None) -> Result:
        """Computes the result of one input.

        Args:
            given: for a task of pictures a frame, a ``(height, width, 3)`` uint8 RGB array, a PIL image, or the path
                of a picture; for one of texts the text; for one of sounds a sound, or the path of a recording.
            trace: receives stage times and engine calls.

        Raises:
            DataError: the input cannot be read, or is of another kind, shape or dtype.
            ModelError: the engine failed.
        """
        ...
