import pytest

from edgekit_export.quantize.thinned import Thinned


def numbers(n):
    return [{"image": i} for i in range(n)]


@pytest.mark.parametrize(
    ("n", "count", "wanted"), [(10, 5, [0, 2, 4, 6, 8]), (3, 5, [0, 1, 2]), (7, 3, [0, 2, 4]), (0, 4, [])]
)
def test_even_and_repeatable(n, count, wanted):
    thinned = Thinned(numbers(n), count)
    assert len(thinned) == len(wanted)
    for _ in range(2):
        assert [b["image"] for b in thinned] == wanted


def test_first_ones_where_the_number_is_unknown():
    assert [b["image"] for b in Thinned(iter(numbers(9)), 4)] == [0, 1, 2, 3]
