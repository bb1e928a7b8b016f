from __future__ import annotations

import pytest

from edgekit.tasks.given import Given, ImageToken, common, parts, reusable


@pytest.mark.parametrize(
    ("start", "end", "most", "sizes"),
    [
        (0, 0, 4, []),
        (3, 3, 4, []),
        (0, 1, 4, [1]),
        (0, 4, 4, [4]),
        (0, 5, 4, [3, 2]),
        (2, 11, 4, [4, 3, 2]),
        (0, 6, 4, [4, 2]),
        (0, 5, 3, [3, 2]),
        (0, 4, 3, [2, 2]),
        (0, 3, 2, [2, 1]),
        (0, 2, 1, [1, 1]),
    ],
)
def test_calls_are_of_two_places_at_the_least(start, end, most, sizes):
    found = list(parts(start, end, most))
    assert [part.stop - part.start for part in found] == sizes
    assert [place for part in found for place in range(part.start, part.stop)] == list(range(start, end))


def test_two_places_are_always_given_again():
    assert reusable([], [1, 2, 3]) == 0
    assert reusable([1, 2, 3, 4], [1, 2, 3, 4]) == 2
    assert reusable([1, 2, 3, 4], [1, 2, 9, 4]) == 2
    assert reusable([1, 2], [1]) == 0
    assert reusable([1], []) == 0


def test_places_of_pictures_are_equal_where_tile_and_row_are():
    one, same, other = ImageToken(b"a", 0), ImageToken(b"a", 0), ImageToken(b"b", 0)
    assert common([5, one, 6], [5, same, 6]) == 3
    assert common([5, one, 6], [5, other, 6]) == common([5, one], [5, ImageToken(b"a", 1)]) == 1
    given = Given([5, one, other, same, 6], [5, 0, 0, 0, 6])
    assert given.tiles_from(0) == [b"a", b"b"]
    assert given.tiles_from(2) == [b"b", b"a"]
    assert (given.tiles_from(4), given.shown, len(given)) == ([], 3, 5)
