import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.catalog.decide.experts import Experts, largest_load

QWEN = Experts(235e9, 22e9, 128, 8)


def test_all_and_active_parameters_tell_the_experts_from_the_rest():
    # 94 layers of 128 experts with 3 matrices of 4096 x 1536: 227.1 billion
    assert QWEN.expert_parameters == pytest.approx(94 * 128 * 3 * 4096 * 1536, rel=0.001)
    assert QWEN.shared_parameters + QWEN.expert_parameters * 8 / 128 == pytest.approx(22e9)
    assert Experts(70e9, 70e9, 1, 1).expert_parameters == 0


def test_a_batch_touches_more_experts_than_a_token():
    assert QWEN.touched(1) == pytest.approx(8 / 128)
    assert QWEN.touched(2) == pytest.approx(1 - (120 / 128) ** 2)
    assert QWEN.touched(1000) == pytest.approx(1)
    assert QWEN.touched(0) == 0


def test_one_device_has_the_mean():
    assert largest_load(64, 1, 0.99) == 1
    assert largest_load(1, 8, 0.5) == 8  # one ball: all of it on one device


@pytest.mark.parametrize(
    ("assignments", "devices", "quantile", "load"),
    [(64, 8, 0.5, 1.5), (64, 8, 0.99, 2.125), (512, 8, 0.5, 1.15625), (8000, 8, 0.99, 1.089)],
)
def test_the_largest_load(assignments, devices, quantile, load):
    assert largest_load(assignments, devices, quantile) == pytest.approx(load)


@pytest.mark.parametrize("hot", [1.0, 1.3])
@pytest.mark.parametrize(("assignments", "devices"), [(32, 2), (64, 8), (512, 8), (4096, 16)])
def test_it_is_what_a_simulation_of_balls_and_bins_gives(assignments, devices, hot):
    shares = np.full(devices, (1 - hot / devices) / (devices - 1))
    shares[0] = hot / devices
    drawn = np.random.default_rng(7).multinomial(assignments, shares, size=20_000).max(axis=1)
    mean = assignments / devices
    for quantile in (0.5, 0.99):
        simulated = float(np.quantile(drawn, quantile))
        assert largest_load(assignments, devices, quantile, hot) * mean == pytest.approx(simulated, abs=2.01)


@settings(deadline=None)
@given(
    assignments=st.integers(1, 5000),
    devices=st.integers(1, 64),
    hot=st.floats(1, 4),
)
def test_the_slowest_step_is_no_faster_than_the_median_and_never_beyond_all_on_one(assignments, devices, hot):
    hot = min(hot, devices)
    median, slow = (largest_load(assignments, devices, quantile, hot) for quantile in (0.5, 0.99))
    assert 1 <= median <= slow <= devices + 1e-9
