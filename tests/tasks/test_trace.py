import itertools

import numpy as np
import pytest

from edgekit.tasks.trace import Trace


class Doubling:
    inputs = outputs = ()

    def __init__(self):
        self.runs = 0

    def run(self, feeds):
        self.runs += 1
        return [feeds["x"] * 2]


def test_stages_add_up_and_calls_are_remembered():
    ticks = itertools.count(0, 10)
    trace, session = Trace(lambda: next(ticks)), Doubling()
    for _ in range(2):
        with trace.stage("pre"):
            pass
        outputs = trace.infer("model", session, {"x": np.ones(2)})
    assert trace.ns == {"pre": 20, "infer": 20, "post": 0}
    assert [c.role for c in trace.calls] == ["model", "model"]
    np.testing.assert_array_equal(outputs[0], [2, 2])


def test_bare_runs_the_same_calls_again():
    ticks = itertools.count(0, 10)
    trace, session = Trace(lambda: next(ticks)), Doubling()
    trace.infer("model", session, {"x": np.ones(2)})
    assert trace.bare_ns() == 10
    assert session.runs == 2
    assert len(trace.calls) == 1


def made_slowly(clock, items):
    for item in items:
        clock["ns"] += 7
        yield item
    clock["ns"] += 2


@pytest.mark.parametrize(("items", "spent"), [([], 2), (["a"], 9), (["a", "b", "c"], 23)])
def test_items_count_while_they_are_made_and_not_while_they_are_used(items, spent):
    clock = {"ns": 0}
    trace, found = Trace(lambda: clock["ns"]), []
    for item in trace.each("pre", made_slowly(clock, items)):
        clock["ns"] += 1000
        found.append(item)
    assert found == items
    assert trace.ns == {"pre": spent, "infer": 0, "post": 0}


def test_a_stage_that_fails_still_counts():
    ticks = itertools.count(0, 10)
    trace = Trace(lambda: next(ticks))
    try:
        with trace.stage("post"):
            raise KeyError
    except KeyError:
        pass
    assert trace.ns["post"] == 10
