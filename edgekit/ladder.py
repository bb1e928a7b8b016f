"""Which variant to run when the machine is hot or late: pure policy, times and temperatures passed in.

Rungs are numbers: 0 is the most accurate and most costly variant, the last one the cheapest. The ladder goes down at
once when it must and up slowly when it may, and every climb that fails doubles the wait for the next (exponential
back-off, as Ethernet's of IEEE 802.3, section 4.2.3.2), so that steady conditions give few steps, however bad they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from edgekit.deadline import NS_PER_S

CHEAPER = 0.95
"""A rung that takes more than this share of the time of the one above it is no step."""

HOT_BELOW_C, COOL_BELOW_C = 3.0, 10.0
"""Degrees below the limit from which the machine counts as hot, and below which as cool; between, it is neither."""

COOLING_C = 1.0
"""Since a step that was made for heat: that much colder is a step that works, and needs no other."""

LEARNING = 0.5
"""Weight of a newly measured ratio of two rungs; one is never believed further than ``TRUST`` from the first one."""

TRUST = 1.5


@dataclass(frozen=True, slots=True)
class Heat:
    """How hot the machine is.

    Attributes:
        celsius: of the zone nearest its limit; ``None`` where no zone tells.
        limit_celsius: where that zone's clock is slowed down.
        throttled: why the processor runs slower than it could, for a person; empty where it does not.
    """

    celsius: float | None = None
    limit_celsius: float | None = None
    throttled: str = ""

    @property
    def hot(self) -> bool:
        """Whether less work would be wise."""
        return bool(self.throttled) or self._above(HOT_BELOW_C)

    @property
    def cool(self) -> bool:
        """Whether more work is possible, as far as heat is known."""
        return not self.throttled and not self._above(COOL_BELOW_C)

    def _above(self, margin_c: float) -> bool:
        if self.celsius is None or self.limit_celsius is None:
            return False
        return self.celsius >= self.limit_celsius - margin_c

    def __str__(self) -> str:
        degrees = "" if self.celsius is None else f"{self.celsius:.0f} °C of {self.limit_celsius:.0f}"
        return ", ".join(part for part in (self.throttled, degrees) if part)


@dataclass(frozen=True, slots=True)
class LadderSettings:
    """When to step.

    Attributes:
        limit_ns: the deadline, arrival to end of sink; ``None``: only heat makes it step.
        window: how many results at the present rung are looked at.
        late: so many late ones among them are too many.
        headroom: share of the deadline that a rung above must be predicted to leave free.
        settle_ns: least time on a rung before lateness leads further down.
        heat_settle_ns: least time on a rung before heat does: a step takes a while to cool anything.
        climb_ns: least time on a rung, calm and cool, before a climb.
        climb_most_ns: what back-off never passes.
        trial_ns: a climb that held for less has failed.
    """

    limit_ns: int | None = None
    window: int = 20
    late: int = 8
    headroom: float = 0.2
    settle_ns: int = 2 * NS_PER_S
    heat_settle_ns: int = 15 * NS_PER_S
    climb_ns: int = 10 * NS_PER_S
    climb_most_ns: int = 600 * NS_PER_S
    trial_ns: int = 600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Step:
    """A change of rung that the policy wants.

    Attributes:
        to: the rung.
        why: for a person.
    """

    to: int
    why: str


def choose_rungs(costs_ns: Sequence[int], drops: Sequence[float | None]) -> list[int]:
    """Which variants make a ladder, the most costly first: those that no other beats in both time and accuracy.

    A variant whose drop is unknown is given the benefit of the doubt: it stays, at the place that its time gives it.

    Args:
        costs_ns: what one input takes.
        drops: the measured drop in points, ``None`` where unknown.

    Returns:
        Indices; the cheapest variant is always among them, and each takes less than ``CHEAPER`` of the one before.
    """
    rungs: list[int] = []
    for index in sorted(range(len(costs_ns)), key=lambda i: (costs_ns[i], _or_inf(drops[i]))):
        if rungs:
            below = rungs[-1]
            own, other = drops[index], drops[below]
            if costs_ns[below] > CHEAPER * costs_ns[index]:
                if own is not None and other is not None and own < other:  # as fast, and better
                    rungs[-1] = index
                continue
            if own is not None and other is not None and own >= other:
                continue
        rungs.append(index)
    return rungs[::-1]


def _or_inf(drop: float | None) -> float:
    return float("inf") if drop is None else drop


@dataclass(slots=True)
class Ladder:
    """Where on the ladder to stand.

    The shell tells it of every frame (:meth:`frame`), asks what it wants (:meth:`decide`), makes the change, which may
    take a while, and tells that it is made (:meth:`stepped`) or cannot be (:meth:`lose`).

    Attributes:
        costs_ns: what one input takes on each rung, measured before the start, the most costly first.
        settings: when to step.
        now_ns: the time at which it starts.
        rung: where it stands.
    """

    costs_ns: Sequence[int]
    settings: LadderSettings
    now_ns: int
    rung: int = field(default=0, init=False)
    _relative: list[float] = field(init=False)
    _failed: list[int] = field(init=False)
    _lost: set[int] = field(default_factory=set, init=False)
    _since_ns: int = field(init=False)
    _calm_since_ns: int = field(init=False)
    _stepped_c: float | None = field(default=None, init=False)
    _climbed: bool = field(default=False, init=False)
    _before: tuple[int, float] | None = field(default=None, init=False)
    _late: deque[bool] = field(init=False)
    _task_ns: deque[int] = field(init=False)
    _rest_ns: deque[int] = field(init=False)

    def __post_init__(self) -> None:
        if not self.costs_ns:
            raise ValueError("costs_ns: expected at least one rung")
        self._relative = [cost / max(self.costs_ns[-1], 1) for cost in self.costs_ns]
        self._failed = [0] * len(self.costs_ns)
        self._since_ns = self._calm_since_ns = self.now_ns
        self._late, self._task_ns, self._rest_ns = (deque(maxlen=self.settings.window) for _ in range(3))
        self.rung = self._first()

    def _first(self) -> int:
        """The most accurate rung that is predicted to hold the deadline."""
        limit_ns = self.settings.limit_ns
        if limit_ns is None:
            return 0
        fitting = (
            i for i, cost in enumerate(self.costs_ns) if cost <= (1 - self.settings.headroom) * limit_ns
        )
        return next(fitting, len(self.costs_ns) - 1)

    def frame(self, task_ns: int, rest_ns: int, late: bool) -> None:
        """Tells of a result.

        Args:
            task_ns: what the variant took.
            rest_ns: what the sinks took, which another variant does not change.
            late: whether it missed the deadline by the fault of variant or waiting, which another one mends.
        """
        self._task_ns.append(task_ns)
        self._rest_ns.append(rest_ns)
        self._late.append(late)
        if self._before is not None and len(self._task_ns) == self.settings.window:
            self._learn(*self._before)
            self._before = None

    def decide(self, now_ns: int, heat: Heat) -> Step | None:
        """The step that is wanted now, if any; nothing changes until :meth:`stepped` tells that it was made."""
        self._since_ns = min(self._since_ns, now_ns)  # a clock that leapt back must not hold it for ever
        self._calm_since_ns = min(self._calm_since_ns, now_ns)
        if not heat.cool or self._restless:
            self._calm_since_ns = now_ns
        down, up = self._next(1), self._next(-1)
        if down is not None and (why := self._reason_down(now_ns, heat)):
            return Step(down, why)
        if up is not None and (why := self._reason_up(up, now_ns, heat)):
            return Step(up, why)
        return None

    def stepped(self, to: int, now_ns: int, heat: Heat) -> None:
        """Tells that the change to rung ``to`` was made."""
        climbs = to < self.rung
        if not climbs:
            self._judge_climb(now_ns)
        self._before = (self.rung, median(self._task_ns)) if climbs and self._task_ns else None
        self._climbed = climbs
        self._stepped_c = heat.celsius
        self.rung = to
        self._since_ns = self._calm_since_ns = now_ns
        for seen in (self._late, self._task_ns, self._rest_ns):
            seen.clear()

    def lose(self, rung: int) -> None:
        """Tells that a rung cannot be used: its variant does not load. It is never wanted again."""
        self._lost.add(rung)

    def climb_wait_ns(self, to: int) -> int:
        """How long to be calm before a climb to rung ``to``."""
        doubled = self.settings.climb_ns << min(self._failed[to], 32)
        return min(doubled, self.settings.climb_most_ns)

    @property
    def _restless(self) -> bool:
        return sum(self._late) > len(self._late) // 10

    def _next(self, way: int) -> int | None:
        rung = self.rung + way
        while rung in self._lost:
            rung += way
        return rung if 0 <= rung < len(self.costs_ns) else None

    def _reason_down(self, now_ns: int, heat: Heat) -> str:
        stood_ns = now_ns - self._since_ns
        late = sum(self._late)
        if heat.hot and stood_ns >= self.settings.heat_settle_ns and not self._cools(heat):
            return f"hot: {heat}"
        if late >= self.settings.late and stood_ns >= self.settings.settle_ns:
            return f"late: {late} of {len(self._late)} frames"
        return ""

    def _cools(self, heat: Heat) -> bool:
        """Whether the last step helps: it is getting colder, and nothing else slows the processor."""
        if self._stepped_c is None or heat.celsius is None or heat.throttled:
            return False
        return heat.celsius <= self._stepped_c - COOLING_C

    def _reason_up(self, up: int, now_ns: int, heat: Heat) -> str:
        wait_ns = self.climb_wait_ns(up)
        if now_ns - self._calm_since_ns < wait_ns or not heat.cool:
            return ""
        known = f", {heat}" if str(heat) else ""
        if self.settings.limit_ns is None:
            return f"cool for {wait_ns / NS_PER_S:.0f} s{known}"
        predicted_ns = self._predict(up)
        if predicted_ns is None or predicted_ns > (1 - self.settings.headroom) * self.settings.limit_ns:
            return ""
        return f"calm for {wait_ns / NS_PER_S:.0f} s, {predicted_ns / 1e6:.1f} ms predicted{known}"

    def _predict(self, to: int) -> float | None:
        """What a result would take on another rung: what it takes now, by the ratio of the two."""
        if len(self._task_ns) < self.settings.window:
            return None
        ratio = self._relative[to] / self._relative[self.rung]
        return median(self._task_ns) * ratio + median(self._rest_ns)

    def _judge_climb(self, now_ns: int) -> None:
        """A step down, after a climb: did that one last?"""
        if not self._climbed:
            return
        held = now_ns - self._since_ns >= self.settings.trial_ns
        self._failed[self.rung] = 0 if held else self._failed[self.rung] + 1

    def _learn(self, below: int, below_ns: float) -> None:
        """What the rung below took just before the climb, and this one just after, is a better ratio than the first."""
        first = self.costs_ns[self.rung] / max(self.costs_ns[below], 1)
        measured = min(max(median(self._task_ns) / max(below_ns, 1), first / TRUST), first * TRUST)
        old = self._relative[self.rung] / self._relative[below]
        ratio = (1 - LEARNING) * old + LEARNING * measured
        self._relative[self.rung] = ratio * self._relative[below]
