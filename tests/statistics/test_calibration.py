import numpy as np
import pytest

from edgekit.statistics.calibration import calibration_error, calibration_rise


def by_hand(confidence, right):
    total = 0.0
    for b in range(15):
        inside = (confidence > b / 15) & (confidence <= (b + 1) / 15)
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return total


def test_equals_the_definition():
    rng = np.random.default_rng(0)
    confidence = rng.beta(5, 2, 500)
    right = rng.random(500) < confidence**2
    assert calibration_error(confidence, right) == pytest.approx(by_hand(confidence, right))


@pytest.mark.parametrize(
    ("confidence", "right", "error"),
    [([1.0, 1.0], [True, True], 0), ([1.0, 1.0], [True, False], 0.5), ([0.0, 0.9], [False, True], 0.05)],
)
def test_edges(confidence, right, error):
    assert calibration_error(np.array(confidence), np.array(right)) == pytest.approx(error)


def draw(rng, n):
    chance = rng.beta(5, 2, n)
    right = rng.random(n) < chance
    return (chance * 0.95, right), (chance * 0.95 + 0.05, right), np.arange(n)  # from too modest to too sure


def test_rise_and_sources():
    rng = np.random.default_rng(1)
    reference, candidate, clusters = draw(rng, 600)
    found = calibration_rise(reference, candidate, clusters)
    assert found.ratio == pytest.approx(by_hand(*candidate) - by_hand(*reference))
    assert calibration_rise(reference, candidate, clusters // 3).clusters == 200
    assert calibration_rise(reference, reference, clusters).changed == 0


def test_simulated_coverage():
    rng = np.random.default_rng(2)
    truth = calibration_rise(*draw(rng, 400_000)).ratio
    found = [calibration_rise(*draw(rng, 1000)).interval() for _ in range(300)]
    assert sum(f.high < truth for f in found) / 300 <= 0.05
    assert sum(f.low > truth for f in found) / 300 <= 0.05
