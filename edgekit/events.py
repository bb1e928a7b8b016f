"""What happens while the loop runs, told to whoever watches: status line, preview, metrics, recording, cascade.

A sink is part of the loop and of its latency. An observer is not: it is told after a frame's times were taken, and
must return at once. Whatever takes time it does in a thread of its own, from the newest event it was told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgekit.bundle.manifest import Drop
from edgekit.camera.protocol import CameraState as CameraState
from edgekit.deadline import MissCause
from edgekit.ledger import LoopStage
from edgekit.sinks.protocol import Outcome
from edgekit.types import Frame


@dataclass(frozen=True, slots=True, eq=False)
class FrameDone:
    """A frame went through task and sink.

    Attributes:
        outcome: frame and result.
        stages_ns: its time by stage.
        missed: whether it came later than the deadline.
        cause: of the miss.
    """

    outcome: Outcome
    stages_ns: Mapping[LoopStage, int]
    missed: bool
    cause: MissCause | None = None


@dataclass(frozen=True, slots=True)
class CameraChanged:
    """The source's state is another one.

    Attributes:
        state: the new one.
        at_ns: when it was noticed, on the loop's clock.
        detail: for a person.
    """

    state: CameraState
    at_ns: int
    detail: str


@dataclass(frozen=True, slots=True)
class VariantChanged:
    """The loop runs another variant of the bundle from the next frame on.

    Attributes:
        before: name of the variant that ran.
        after: name of the one that runs now.
        drop: what the new one costs in accuracy, where the bundle says so.
        at_ns: when, on the loop's clock.
        why: for a person, e.g. ``late: 12 of 20 frames`` or ``hot: 81 °C``.
    """

    before: str
    after: str
    drop: Drop | None
    at_ns: int
    why: str


@dataclass(frozen=True, slots=True)
class AnswerTold:
    """A language model that answers beside the loop has said more.

    Attributes:
        number: which question of this run, from 0.
        frame_index: the frame it is about.
        frame_ns: when that frame arrived, on the loop's clock: the answer's age is counted from there.
        why: what triggered it, for a person.
        question: what was asked.
        text: the whole answer so far.
        finished: whether nothing more will come.
        at_ns: when this much was known, on the loop's clock.
        broken_off: whether it was finished before it was whole: given up, cancelled, or failed.
    """

    number: int
    frame_index: int
    frame_ns: int
    why: str
    question: str
    text: str
    finished: bool
    at_ns: int
    broken_off: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is all that the model had to say."""
        return self.finished and not self.broken_off


class Observer:
    """Is told what happens; every method does nothing unless a subclass says otherwise."""

    def frame_taken(self, frame: Frame) -> None:
        """A frame is going to be processed; called in the loop's thread, and part of the frame's latency."""

    def frame_done(self, event: FrameDone) -> None:
        """A frame was processed; called in the loop's thread."""

    def camera_changed(self, event: CameraChanged) -> None:
        """The source's state changed; called in the capture thread."""

    def variant_changed(self, event: VariantChanged) -> None:
        """Another variant runs; called in the loop's thread."""

    def answer_told(self, event: AnswerTold) -> None:
        """More of an answer is known; called in the thread of the model that answers."""


class Observers(Observer):
    """Tells several observers, in order."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = tuple(observers)

    def frame_taken(self, frame: Frame) -> None:
        """Tells each."""
        for observer in self._observers:
            observer.frame_taken(frame)

    def frame_done(self, event: FrameDone) -> None:
        """Tells each."""
        for observer in self._observers:
            observer.frame_done(event)

    def camera_changed(self, event: CameraChanged) -> None:
        """Tells each."""
        for observer in self._observers:
            observer.camera_changed(event)

    def variant_changed(self, event: VariantChanged) -> None:
        """Tells each."""
        for observer in self._observers:
            observer.variant_changed(event)

    def answer_told(self, event: AnswerTold) -> None:
        """Tells each."""
        for observer in self._observers:
            observer.answer_told(event)
