"""What a source of frames is to the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

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


@dataclass(frozen=True, slots=True)
class Reshaped:
    """The frames that follow come in another form, and are converted all the same."""

    detail: str


Reading: TypeAlias = Frame | Corrupt | Reshaped | EndOfSource | Lost

CameraState: TypeAlias = Literal["live", "lost", "frozen", "changed"]
"""``live``: frames come (again). ``lost``: none comes, and the source is opened again. ``frozen``: frames come, and
all are the same. ``changed``: size, colour format or frame rate are others from this frame on."""

Tell: TypeAlias = Callable[[CameraState, int, str], None]
"""Is told the new state, when (nanoseconds of the loop's clock), and what happened, for a person."""


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


class LiveSource(Source, Protocol):
    """A source whose ``live`` is true: it can be lost, and opened again."""

    def reopen(self) -> LiveSource:
        """Opens the same camera once more.

        It may be called while a read of this one hangs in another thread, or after it was closed.

        Raises:
            EdgekitError: it is not there (yet).
        """
        ...
