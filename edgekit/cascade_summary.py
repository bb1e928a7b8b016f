"""What a run's questions to the model beside the loop came to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from edgekit.answered import Answered
from edgekit.answerer import Reused
from edgekit.ledger import Durations

LAST_ANSWERS = 5
"""That a summary holds; as many errors."""

Fate: TypeAlias = Literal["answered", "replaced", "given_up", "cancelled", "failed"]
"""What became of a trigger. ``replaced``: a newer one took its waiting place. ``given_up``: its frame was too old
while a newer one waited. ``cancelled``: the run ended, or too many had failed. ``failed``: the model could not
answer."""

FATES: tuple[Fate, ...] = get_args(Fate)


@dataclass(slots=True)
class CascadeSummary:
    """What a run's questions came to. Every trigger has one fate, or is in flight or waits.

    Attributes:
        bundle, task, variant, engine, threads: of the model.
        niceness: of its thread; None where the system has no priorities of threads.
        triggered: how often a rule asked.
        asked: those that the model was given.
        fates: what became of them.
        reused: answers for which something was not made anew.
        reuse_below: pictures that differed by less were taken to be the same.
        ages, first_ages: of the frames, when answers were whole, and when they began.
        difference: the largest between a picture and the one that was taken for it.
        answers: the last few, as ``--answers`` has them.
        errors: the last few, each message once.
        hangs: whether an engine call did not end: its thread was left behind.
    """

    bundle: str = ""
    task: str = ""
    variant: str = ""
    engine: str = ""
    threads: int = 0
    niceness: int | None = None
    triggered: int = 0
    asked: int = 0
    fates: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    reused: dict[Reused, int] = field(default_factory=lambda: dict.fromkeys(get_args(Reused), 0))
    reuse_below: float = 0.0
    ages: Durations = field(default_factory=Durations)
    first_ages: Durations = field(default_factory=Durations)
    difference: float = 0.0
    answers: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LAST_ANSWERS))
    errors: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_ANSWERS))
    hangs: bool = False

    def add(self, answered: Answered) -> None:
        """Counts a whole answer."""
        self.ages.add(answered.age_ns)
        self.first_ages.add(answered.first_age_ns)
        self.answers.append(answered.as_json())
        if answered.reused is not None:
            self.reused[answered.reused] += 1
        self.difference = max(self.difference, answered.difference or 0.0)

    def as_json(self) -> dict[str, Any]:
        """The object ``cascade`` of ``edgekit camera --json``."""
        return {
            "bundle": self.bundle,
            "task": self.task,
            "variant": self.variant,
            "engine": self.engine,
            "threads": self.threads,
            "niceness": self.niceness,
            "triggered": self.triggered,
            "asked": self.asked,
            **{str(fate): count for fate, count in self.fates.items()},
            "reused": {
                **{str(what): count for what, count in self.reused.items()},
                "below": self.reuse_below,
                "largest_difference": round(self.difference, 4),
            },
            "first_token_age_ms": _quantiles(self.first_ages),
            "age_ms": _quantiles(self.ages),
            "answers": list(self.answers),
            "errors": list(self.errors),
        }


def _quantiles(durations: Durations) -> dict[str, float] | None:
    if not durations.count:
        return None
    return {name: ms for name, ms in durations.as_ms().items() if name != "p99"}
