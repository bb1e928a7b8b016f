"""What a source of frames is to the loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from edgekit.types import Frame


@dataclass(frozen=True, slots=True)
class Corrupt:
    """A frame that was there but cannot be decoded; the next one may be whole."""

    reason: str


@dataclass(frozen=True, slots=True)
class EndOfSource:
    """Nothing more will come, as intended: the end of the file, the last picture of the folder."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A camera or stream gave no frame where it should have: unplugged, timed out, closed from there."""

    reason: str


Reading: TypeAlias = Frame | Corrupt | EndOfSource | Lost


class Source(Protocol):
    """A camera, stream, clip, folder or generator, opened. Used by one thread at a time.

    Attributes:
        description: how the summary names it, in the words of its specification.
        live: frames come when they come and ``read`` waits for the next; otherwise the loop sets the pace.
        fps: nominal frame rate, ``None`` where the source does not say.
        size_wh: width and height of its frames where known before the first.
        notes: what a person should know about it, e.g. that a frame rate was assumed.
    """

    description: str
    live: bool
    fps: float | None
    size_wh: tuple[int, int] | None
    notes: list[str]

    def read(self) -> Reading:
        """Reads the next frame, waiting for it if the source is live.

        Returns:
            A frame with its ``color`` and ``name`` (the loop numbers and stamps it), or why there is none.

        Raises:
            DataError: nothing of the whole source can be decoded.
        """
        ...

    def close(self) -> None:
        """Gives the device or file back. Safe to call twice."""
        ...
