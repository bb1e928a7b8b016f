"""The ladder on a real machine: policy, thermometer and loader brought together for the loop."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import to_builtins

from edgekit.deadline import NS_PER_S, MissCause
from edgekit.errors import EdgekitError
from edgekit.events import VariantChanged
from edgekit.ladder import Heat, Ladder, LadderSettings, Step
from edgekit.ledger import LoopStage
from edgekit.rungs import Load, Loader, Rung
from edgekit.tasks.protocol import Task
from edgekit.thermal import HeatWatch

KEPT_STEPS = 100
"""Steps that the summary lists, the last ones; all are counted."""

MENDABLE = frozenset({"late_frame", "slow_pre", "slow_inference", "slow_post"})
"""Causes of a miss that a cheaper variant mends: it cannot mend a slow sink or a clock."""


@dataclass(frozen=True, slots=True)
class Change:
    """What the loop runs from the next frame on.

    Attributes:
        task: the variant, loaded and warm.
        bare_ns: what its engine calls take alone.
        event: for observers.
    """

    task: Task
    bare_ns: int
    event: VariantChanged


@dataclass(slots=True)
class Stay:
    """How long the loop stood on a rung."""

    frames: int = 0
    ns: int = 0


class Climber:
    """Tells the loop which variant to run. Everything is called in the loop's thread.

    Args:
        rungs: the most accurate first.
        load: makes a variant's task; called in a thread beside the loop.
        settings: when to step.
        heat: where temperatures come from; ``None`` where nothing tells.
        tell: is told, in a line for a person, of what is no step.

    Attributes:
        rungs: as given.
    """

    def __init__(
        self,
        rungs: Sequence[Rung],
        load: Load,
        settings: LadderSettings,
        heat: HeatWatch | None = None,
        *,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.rungs = tuple(rungs)
        self._load = load
        self._loader = Loader(load)
        self._heat = heat
        self._tell = tell
        self._settings = settings
        self._begin(time.perf_counter_ns)
        self._wanted: Step | None = None
        self._changed = False
        self._stays = [Stay() for _ in rungs]
        self._steps: deque[dict[str, Any]] = deque(maxlen=KEPT_STEPS)
        self._stepped = 0

    @property
    def rung(self) -> Rung:
        """Where the loop stands."""
        return self.rungs[self._ladder.rung]

    @property
    def heat(self) -> Heat:
        """How hot the machine was when it was looked at last."""
        return Heat() if self._heat is None else self._heat.latest

    def first(self) -> Task:
        """Loads the variant to start with: the most accurate one that is predicted to hold the deadline."""
        return self._load(self.rung.variant)

    def start(self, size_wh: tuple[int, int] | None, now_ns: Callable[[], int]) -> None:
        """The loop begins, on pictures of that size and by that clock."""
        self._loader = Loader(self._load, size_wh)
        self._begin(now_ns)
        if self._heat is not None:
            self._heat.start()

    def _begin(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._start_ns = self._since_ns = now_ns()
        self._ladder = Ladder([rung.cost_ns for rung in self.rungs], self._settings, self._start_ns)

    def close(self) -> None:
        """The loop is over: ends and joins the threads."""
        self._leave_rung()
        self._loader.close()
        if self._heat is not None:
            self._heat.close()

    def frame_done(self, stages_ns: Mapping[LoopStage, int], cause: MissCause | None) -> Change | None:
        """Takes a frame's times into account.

        Args:
            stages_ns: its time by stage.
            cause: why it was late, if it was.

        Returns:
            What to run from the next frame on, or ``None``: the same.
        """
        self._stays[self._ladder.rung].frames += 1
        if cause != "clock_leap":
            task_ns = stages_ns["pre"] + stages_ns["infer"] + stages_ns["post"]
            self._ladder.frame(task_ns, stages_ns["sink"], cause in MENDABLE)
        if self._changed:  # by now the loop has let go of the variant before
            self._changed = False
            self._loader.tidy()
        if self._wanted is not None:
            return self._change(self._wanted)
        self._wanted = self._ladder.decide(self._now_ns(), self.heat)
        if self._wanted is not None:
            self._loader.start(self.rungs[self._wanted.to].variant)
        return None

    def as_json(self) -> dict[str, Any]:
        """What ``edgekit camera --json`` says of it."""
        return {
            "rungs": [
                {
                    "variant": rung.variant,
                    "drop": to_builtins(rung.drop),
                    "cost_ms": round(rung.cost_ns / 1e6, 3),
                    "frames": stay.frames,
                    "seconds": round(stay.ns / NS_PER_S, 3),
                }
                for rung, stay in zip(self.rungs, self._stays, strict=True)
            ],
            "steps": list(self._steps),
            "steps_made": self._stepped,
        }

    def _change(self, step: Step) -> Change | None:
        made = self._loader.take()
        if made is None:
            return None
        self._wanted = None
        before, after = self.rung, self.rungs[step.to]
        if isinstance(made, EdgekitError):
            self._ladder.lose(step.to)
            self._tell(f"ladder: {after.variant} cannot be loaded and is left out: {made}")
            return None
        now_ns = self._leave_rung()
        self._ladder.stepped(step.to, now_ns, self.heat)
        self._changed = True
        self._stepped += 1
        at_s = round((now_ns - self._start_ns) / NS_PER_S, 3)
        self._steps.append({"at_s": at_s, "from": before.variant, "to": after.variant, "why": step.why})
        event = VariantChanged(before.variant, after.variant, after.drop, now_ns, step.why)
        return Change(made.task, made.bare_ns, event)

    def _leave_rung(self) -> int:
        now_ns = self._now_ns()
        self._stays[self._ladder.rung].ns += max(now_ns - self._since_ns, 0)
        self._since_ns = now_ns
        return now_ns
