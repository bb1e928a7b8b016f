"""The first frame of ``edgekit camera``, held against the card."""

from __future__ import annotations

from edgekit.cli.usage import Usage
from edgekit.events import FrameDone, Observer


class FirstFrame(Observer):
    """Looks at the first frame of a run, and no further: the camera's pictures are all of one size."""

    def __init__(self, usage: Usage) -> None:
        self._usage: Usage | None = usage

    def frame_done(self, event: FrameDone) -> None:
        """Tells what does not fit."""
        if self._usage is not None:
            self._usage.done(event.outcome.frame, event.outcome.result)
            self._usage = None
