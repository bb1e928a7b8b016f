"""What a sink is to the loop: where results go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edgekit.bundle.manifest import Drop
from edgekit.types import Frame, Result


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One frame with its result.

    Attributes:
        frame: the picture as the task saw it.
        result: what the task found.
        age_ns: from the frame's arrival to the result, before any sink.
        variant: name of the variant that made it.
        drop: what that variant costs in accuracy; ``None`` where the bundle does not say.
    """

    frame: Frame
    result: Result
    age_ns: int
    variant: str
    drop: Drop | None = None

    @property
    def caption(self) -> str:
        """Age, variant and its cost in accuracy, in a line of ASCII to be drawn on the picture."""
        cost = "unknown" if self.drop is None else f"{self.drop.value:.2f} {self.drop.metric}"
        return f"{self.age_ns / 1e6:.1f} ms  {self.variant}  drop {cost}"


class Sink(Protocol):
    """Receives every outcome, in order, in the loop's own thread: its time is part of the latency.

    What it writes appears under its final name only in :meth:`commit`.
    """

    def write(self, outcome: Outcome) -> None:
        """Takes one outcome.

        Raises:
            OutputError: it cannot be written, e.g. because the disk is full.
        """
        ...

    def commit(self) -> None:
        """Completes what was written and gives it its final name.

        Raises:
            OutputError: it is not whole.
        """
        ...

    def abort(self) -> None:
        """Removes what was written. Safe after :meth:`commit`, and twice."""
        ...
