"""Where the time of one input goes, and which engine calls it took.

A task reports to a :class:`Trace` as it works. The loop reads the stage times from it, the validator the raw
outputs, and ``bare_ms`` comes from running the very same engine calls once more, alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from edgekit.engines.protocol import Session
from edgekit.types import Array

_Item = TypeVar("_Item")
Stage: TypeAlias = Literal["pre", "infer", "post"]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One engine call: which graph of the variant, its inputs and outputs.

    Attributes:
        kept: names of outputs that are the next call's inputs: nobody but that call reads them.
    """

    role: str
    session: Session
    feeds: Mapping[str, Array]
    outputs: list[Array]
    kept: frozenset[str] = frozenset()

    @property
    def told(self) -> list[tuple[str, Array]]:
        """Name and value of the outputs that are not merely kept, in the graph's order."""
        named = zip((spec.name for spec in self.session.outputs), self.outputs, strict=True)
        return [(name, output) for name, output in named if name not in self.kept]


@dataclass(slots=True)
class Trace:
    """Times and engine calls of one input.

    Attributes:
        now_ns: monotonic clock; a test passes its own.
        ns: time spent a stage, in nanoseconds; stages that are entered more than once add up.
        calls: the engine calls, in order.
    """

    now_ns: Callable[[], int] = time.perf_counter_ns
    ns: dict[Stage, int] = field(default_factory=lambda: {"pre": 0, "infer": 0, "post": 0})
    calls: list[Call] = field(default_factory=list)

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Adds the time inside the block to ``name``."""
        start = self.now_ns()
        try:
            yield
        finally:
            self.ns[name] += self.now_ns() - start

    def each(self, name: Stage, items: Iterable[_Item]) -> Iterator[_Item]:
        """The items; the time that each takes to be made counts as ``name``, what is done with it does not."""
        left = iter(items)
        while True:
            with self.stage(name):
                try:
                    item = next(left)
                except StopIteration:
                    return
            yield item

    def infer(
        self, role: str, session: Session, feeds: Mapping[str, Array], kept: frozenset[str] = frozenset()
    ) -> list[Array]:
        """Runs a graph within the ``infer`` stage and remembers the call."""
        with self.stage("infer"):
            outputs = session.run(feeds)
        self.calls.append(Call(role, session, feeds, outputs, kept))
        return outputs

    def bare_ns(self) -> int:
        """Runs the same engine calls again, alone, and returns how long they took together."""
        start = self.now_ns()
        for call in self.calls:
            call.session.run(call.feeds)
        return self.now_ns() - start
