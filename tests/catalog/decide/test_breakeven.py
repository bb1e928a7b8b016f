import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edgekit.catalog.decide.breakeven import break_even, crossings
from edgekit.catalog.decide.cost import Steps

DEVICE = Steps(a_unit=4.0, a_call=0.0001, calls_a_unit=1e6, least_units=1)
NAMES = ("device", "server")


def test_a_device_against_a_price_a_call():
    found = break_even(NAMES, (DEVICE, Steps(0.0, 0.0005)))
    assert (found.below, found.above) == ("server", "device")
    assert found.calls_a_month == pytest.approx(10_000)
    assert found.for_good == found.calls_a_month


def test_the_order_of_the_two_does_not_matter():
    one = break_even(NAMES, (DEVICE, Steps(0.0, 0.0005)))
    assert break_even(NAMES[::-1], (Steps(0.0, 0.0005), DEVICE)) == one


def test_two_prices_a_call_have_none():
    assert break_even(NAMES, (Steps(0.0, 0.003), Steps(0.0, 0.0005))) is None
    assert break_even(NAMES, (DEVICE, DEVICE)) is None


def test_a_fixed_and_a_growing_cost():
    found = break_even(NAMES, (Steps(100.0, 0.0, least_units=1), Steps(0.0, 0.5)))
    assert found.calls_a_month == pytest.approx(200)


def test_the_next_device_may_turn_the_order_once_more():
    # 4 USD serve 100 calls, a call costs 0.05: cheaper from 80 on, at 101 two devices cost 8 against 5.05, …
    device, server = Steps(4.0, 0.0, 100, 1), Steps(0.0, 0.05)
    found = break_even(NAMES, (device, server))
    assert found.calls_a_month == pytest.approx(80)
    assert crossings(device, server)[:5] == pytest.approx([80, 100, 160, 200, 240])
    assert found.for_good == pytest.approx(
        4 * 80
    )  # from the 4th on, n devices are cheaper before the next comes
    later = [device.at(v) <= server.at(v) for v in (321, 399, 400.5, 500, 700.5)]
    assert all(later)


def test_where_a_full_device_costs_more_than_its_calls_there_is_none():
    assert break_even(NAMES, (Steps(6.0, 0.0, 100, 1), Steps(0.0, 0.05))) is None


UNITS = st.builds(
    Steps, st.floats(0.01, 1e4), st.floats(0, 1), st.floats(10, 1e7) | st.just(math.inf), st.integers(1, 20)
)
CALLS = st.builds(Steps, st.just(0.0), st.floats(1e-6, 2))


@settings(deadline=None)
@given(UNITS, UNITS | CALLS)
def test_a_break_even_is_where_the_costs_cross(first, second):
    found = break_even(NAMES, (first, second))
    assume(found is not None)
    volume = found.calls_a_month
    costs = dict(zip(NAMES, (first, second), strict=True))
    below, above = costs[found.below], costs[found.above]
    margin = 1e-9 * (below.at(volume) + above.at(volume))
    early, late = volume * (1 - 1e-6), volume * (1 + 1e-6)
    assert below.at(early) <= above.at(early) + margin
    assert above.at(late) <= below.at(late) + margin
    meets = math.isclose(below.at(volume), above.at(volume), rel_tol=1e-9)
    steps = any(steps.units(late) != steps.units(early) for steps in (below, above))
    assert meets or steps


@settings(deadline=None)
@given(UNITS, CALLS)
def test_before_the_break_even_the_order_is_the_first_one(first, second):
    found = break_even(NAMES, (first, second))
    assume(found is not None)
    costs = dict(zip(NAMES, (first, second), strict=True))
    for share in (0.01, 0.3, 0.999):
        volume = share * found.calls_a_month
        assert costs[found.below].at(volume) <= costs[found.above].at(volume) * (1 + 1e-9)
