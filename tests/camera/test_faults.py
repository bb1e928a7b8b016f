from __future__ import annotations

import pytest

from edgekit.camera.faults import FAULT_KINDS, Fault, FaultPlan, parse_fault
from edgekit.errors import UsageError


@pytest.mark.parametrize(
    ("text", "start_s", "seconds"),
    [("2s:2s", 2.0, 2.0), ("0s:500ms", 0.0, 0.5), ("1.5s:1min", 1.5, 60.0), ("250ms:10ms", 0.25, 0.01)],
)
def test_start_and_duration(text, start_s, seconds):
    fault = parse_fault("stall", text)
    assert (fault.kind, fault.start_s, fault.seconds) == ("stall", start_s, pytest.approx(seconds))
    assert fault.end_s == pytest.approx(start_s + seconds)


@pytest.mark.parametrize(
    "text", ["", "2s", "2:2", "2s:", ":2s", "2s:2s:2s", "-1s:2s", "2s:0s", "2s:nan", "2s:9999999s", "2h:1s"]
)
def test_what_is_no_fault(text):
    with pytest.raises(UsageError, match="expected START:DURATION, e.g. unplug=2s:500ms") as caught:
        parse_fault("unplug", text)
    assert f"unplug={text}" in str(caught.value)


def test_the_start_belongs_to_it_and_the_end_does_not():
    fault = Fault("freeze", 2.0, 1.0)
    assert [fault.covers(t) for t in (1.999, 2.0, 2.999, 3.0)] == [False, True, True, False]


def test_of_overlapping_ones_the_one_that_ends_last_is_on():
    plan = FaultPlan((Fault("stall", 1.0, 1.0), Fault("stall", 1.5, 2.0), Fault("freeze", 0.0, 9.0)))
    assert plan.active("stall", 1.2).end_s == 2.0
    assert plan.active("stall", 1.7).end_s == 3.5
    assert plan.active("stall", 3.5) is None
    assert plan.active("corrupt", 1.0) is None


def test_leaps_of_the_clock_add_up_and_stay():
    plan = FaultPlan((Fault("clockjump", 1.0, 10.0), Fault("clockjump", 2.0, 5.0)))
    assert [plan.leap_s(t) for t in (0.0, 0.999, 1.0, 2.0, 99.0)] == [0, 0, 10.0, 15.0, 15.0]


def test_as_it_is_written():
    assert (
        str(FaultPlan((Fault("unplug", 2, 2), Fault("resize", 0.5, 60)))) == "&unplug=2s:2s&resize=0.5s:60s"
    )
    assert str(FaultPlan()) == ""
    assert len(FAULT_KINDS) == 7
