import numpy as np
import pytest

from edgekit.tasks.trace import Trace
from edgekit_export.timing import MOST, Timing, in_turns, one_call_each, timings


class Clock:
    """Moves on only when something runs."""

    def __init__(self):
        self.ns = 0

    def __call__(self):
        return self.ns

    def takes(self, *ms):
        """A run that takes these times, one a round, the last one ever after."""
        return lambda number: self.advance(ms[min(number, len(ms) - 1)])

    def advance(self, ms):
        self.ns += round(ms * 1e6)


def test_a_first_round_does_not_count():
    clock = Clock()
    found = in_turns([clock.takes(90, 3), clock.takes(50, 4, 5)], 0.1, clock)
    assert found == [[3.0] * 5, [4.0, 5.0, 5.0, 5.0, 5.0]]


@pytest.mark.parametrize(
    ("ms", "budget_s", "rounds"), [(1000, 2.0, 5), (100, 2.0, 19), (10, 0.0, 5), (0.1, 2.0, MOST)]
)
def test_rounds_are_bounded_by_time_and_number(ms, budget_s, rounds):
    clock = Clock()
    assert [len(times) for times in in_turns([clock.takes(ms)], budget_s, clock)] == [rounds]


def test_nothing_to_run():
    assert in_turns([], 0.0, Clock()) == []


class Graph:
    """A session that takes a time and remembers what it was given."""

    def __init__(self, clock, ms):
        self.clock, self.ms, self.given = clock, ms, []

    def run(self, feeds):
        self.given.append(int(feeds["x"]))
        self.clock.advance(self.ms)
        return [np.zeros(1)]


def task_of(**graphs):
    """Calls each of its graphs as often as the given number says."""

    def call(times, trace=None):
        trace = Trace() if trace is None else trace
        for role, graph in graphs.items():
            for number in range(times):
                trace.infer(role, graph, {"x": np.int64(10 * times + number)})

    call.sessions = graphs
    return call


def test_each_graph_runs_once_a_round_on_what_the_inputs_give_it():
    detect, recognise = Graph(Clock(), 1), Graph(Clock(), 1)
    run = one_call_each(task_of(detect=detect, recognise=recognise), [1, 2])
    detect.given.clear()
    for number in range(4):
        run(number)
    assert detect.given == [10, 20, 21, 10]


def test_medians_and_their_ratio():
    clock = Clock()
    fast, full = task_of(m=Graph(clock, 3.0)), task_of(m=Graph(clock, 4.0), n=Graph(clock, 2.0))
    assert timings([fast], full, [1], 0.1, clock) == [Timing(3.0, 0.5, 12 - 1)]
    assert timings([fast], None, [1], 0.0, clock) == [Timing(3.0, None, 5)]


def test_a_limit_is_held_against_the_estimate_where_there_is_one():
    assert Timing(9.0, None, 5).holds
    assert Timing(9.0, None, 5, max_ms=9.0).holds
    assert not Timing(9.1, None, 5, max_ms=9.0).holds
    assert not Timing(1.0, None, 5, estimated_ms=44.0, max_ms=9.0).holds
    assert Timing(44.0, None, 5, estimated_ms=1.0, max_ms=9.0).counted_ms == 1.0
