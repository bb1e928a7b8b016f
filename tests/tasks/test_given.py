from __future__ import annotations

import pytest

from edgekit.tasks.given import Given, ImageToken, common, parts, reusable


@pytest.mark.parametrize(
    ("start", "end", "most", "sizes"),
    [
        (0, 0, 8, []),
        (3, 3, 8, []),
        (0, 1, 8, [1]),
        (0, 8, 8, [8]),
        (0, 9, 8, [4, 5]),
        (4, 23, 8, [8, 8, 3]),
        (4, 21, 8, [8, 4, 5]),
        (0, 10, 11, [8, 2]),
        (0, 5, 4, [4, 1]),
        (0, 3, 2, [2, 1]),
        (0, 2, 1, [1, 1]),
    ],
)
def test_calls_are_whole_tiles_and_what_is_left_over(start, end, most, sizes):
    found = list(parts(start, end, most))
    assert [part.stop - part.start for part in found] == sizes
    assert [place for part in found for place in range(part.start, part.stop)] == list(range(start, end))


def test_whole_tiles_are_reused_and_two_places_are_always_given_again():
    known = list(range(20))
    assert reusable([], known) == 0
    assert reusable(known, known) == 16
    assert reusable(known, [*known, 5]) == 16
    assert reusable(known, [*known, 5, 6]) == 20
    assert reusable(known, [*range(17), 99, 98, 97]) == 16
    assert reusable(known, list(range(17))) == 12
    assert reusable([1], []) == reusable([1, 2], [1]) == 0


def test_places_of_pictures_are_equal_where_tile_and_row_are():
    one, same, other = ImageToken(b"a", 0), ImageToken(b"a", 0), ImageToken(b"b", 0)
    assert common([5, one, 6], [5, same, 6]) == 3
    assert common([5, one, 6], [5, other, 6]) == common([5, one], [5, ImageToken(b"a", 1)]) == 1
    given = Given([5, one, other, same, 6], [5, 0, 0, 0, 6])
    assert given.tiles_from(0) == [b"a", b"b"]
    assert given.tiles_from(2) == [b"b", b"a"]
    assert (given.tiles_from(4), given.shown, len(given)) == ([], 3, 5)
