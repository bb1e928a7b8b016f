import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.catalog.decide.cost import Steps

AMOUNTS = st.floats(0, 1e6)
COSTS = st.builds(
    Steps, AMOUNTS, st.floats(0, 10), st.floats(1, 1e9) | st.just(math.inf), st.integers(0, 100)
)


def test_units_and_calls():
    steps = Steps(a_unit=5.0, a_call=0.01, calls_a_unit=100, least_units=1)
    assert [steps.units(calls) for calls in (0, 1, 100, 101, 200, 200.5)] == [1, 1, 1, 2, 2, 3]
    assert steps.at(0) == 5
    assert steps.at(100) == pytest.approx(6)
    assert steps.at(150) == pytest.approx(11.5)


def test_what_is_not_bought_costs_nothing_unused():
    assert Steps(0.0, 0.003).at(0) == 0
    assert Steps(0.0, 0.003).at(10e6) == pytest.approx(30_000)
    assert Steps(0.0, 0.003).units(10e6) == 0


@settings(deadline=None)
@given(COSTS, st.floats(0, 1e12), st.floats(0, 1e12))
def test_more_calls_never_cost_less(steps, one, other):
    few, many = sorted((one, other))
    assert steps.at(few) <= steps.at(many) * (1 + 1e-12) + 1e-9
