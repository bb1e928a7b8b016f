import pytest

from edgekit.statistics.multiplicity import simultaneous


@pytest.mark.parametrize(("m", "each"), [(1, 0.95), (5, 0.99), (1000, 0.99995)])
def test_bonferroni(m, each):
    assert simultaneous(m) == pytest.approx(each)


def test_other_level_and_nonsense():
    assert simultaneous(2, 0.9) == pytest.approx(0.95)
    with pytest.raises(ValueError, match="at least 1 interval, got 0"):
        simultaneous(0)
