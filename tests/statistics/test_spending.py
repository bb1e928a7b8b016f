import numpy as np
import pytest

from edgekit.statistics.gate import gate
from edgekit.statistics.paired import tango
from edgekit.statistics.proportion import unseen_upper
from edgekit.statistics.spending import look_confidences, plan_looks


@pytest.mark.parametrize(
    ("n", "looks", "planned"),
    [
        (1000, 4, (125, 250, 500, 1000)),
        (1000, 1, (1000,)),
        (1001, 3, (251, 501, 1001)),
        (3, 5, (1, 2, 3)),
        (1, 4, (1,)),
    ],
)
def test_plan(n, looks, planned):
    assert plan_looks(n, looks) == planned


@pytest.mark.parametrize(("n", "looks"), [(0, 1), (10, 0), (10, 6)])
def test_plan_of_nonsense(n, looks):
    with pytest.raises(ValueError, match="looks: expected"):
        plan_looks(n, looks)


def test_confidences_published():  # Lan & DeMets: alpha*(t) of the O'Brien-Fleming type, two-sided 0.05
    spent = [1 - c for c in look_confidences((20, 40, 60, 80, 100))]
    assert np.cumsum(spent) == pytest.approx([1.17e-5, 1.94e-3, 0.01140, 0.02844, 0.05], rel=0.005)


def test_confidences_of_doubling_looks():
    assert look_confidences((125, 250, 500, 1000)) == pytest.approx(
        (1 - 2.97e-8, 1 - 8.85e-5, 1 - 0.00548, 0.95557), abs=1e-5
    )
    assert look_confidences((7,)) == pytest.approx((0.95,))
    assert look_confidences(plan_looks(16, 5))[0] < 1


@pytest.mark.parametrize("looks", [(5, 5), (10, 5), (1, 17)])
def test_looks_of_nonsense(looks):
    with pytest.raises(ValueError, match="looks: expected"):
        look_confidences(looks)


def test_nothing_seen_is_covered():
    """Exactly: with no flip at any look, the chance to pass at a true rate of the limit is below 5 %."""
    looks = plan_looks(1200, 4)
    bounds = [unseen_upper(n, c) for n, c in zip(looks, look_confidences(looks), strict=True)]
    for limit in np.linspace(0.002, 0.1, 300):
        first = next((n for n, bound in zip(looks, bounds, strict=True) if bound <= limit), None)
        assert first is None or (1 - limit) ** first <= 0.05


@pytest.mark.parametrize(("loss", "gain"), [(0.01, 0.0), (0.02, 0.01), (0.05, 0.05)])
def test_simulated_error_rate_of_all_looks(loss, gain):
    rng = np.random.default_rng(12)
    looks = plan_looks(800, 4)
    levels, passed = look_confidences(looks), 0
    for _ in range(400):
        draws = rng.multinomial(1, [loss, gain, 1 - loss - gain], size=800).cumsum(axis=0)
        for n, level in zip(looks, levels, strict=True):
            found = tango(int(draws[n - 1, 0]), int(draws[n - 1, 1]), n, level)
            verdict = gate(found.high, found.low, loss - gain)
            if verdict != "INCONCLUSIVE":
                passed += verdict == "PASS"
                break
    assert passed / 400 <= 0.05
