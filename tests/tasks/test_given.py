from __future__ import annotations

import pytest

from edgekit.tasks.given import Given, ImageToken, calls, common, parts, reusable


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


def pictured(*parts):
    """Items: a number is so many tokens of text, a name a picture of eight places."""
    found = []
    for part in parts:
        rows = [ImageToken(part.encode(), row) for row in range(8)] if isinstance(part, str) else []
        found += rows or range(part)
    return found


@pytest.mark.parametrize(
    ("parts", "start", "sizes"),
    [
        ((), 0, []),
        ((5, "a", 3), 0, [5, 8, 3]),
        (("a",), 0, [8]),
        ((11, "a", 1, "b", 13), 0, [8, 3, 8, 1, 8, 8, 5]),
        ((11, "a", 10), 8, [3, 8, 8, 2]),
        ((11, "a", 10), 11, [8, 8, 2]),
        ((11, "a", 10), 19, [8, 2]),
        ((11, "a", 10), 23, [6]),
    ],
)
def test_a_picture_that_looks_both_ways_is_one_call(parts, start, sizes):
    items = pictured(*parts)
    found = list(calls(items, start, 8, both_ways=True))
    assert [part.stop - part.start for part in found] == sizes
    assert [place for part in found for place in range(part.start, part.stop)] == list(
        range(start, len(items))
    )


def test_pictures_that_look_back_are_cut_as_texts_are():
    assert [part.stop for part in calls(pictured(5, "a", 3), 0, 8)] == [8, 16]


@pytest.mark.parametrize(
    ("known", "wanted", "reused"),
    [
        ((5, "a", 3), (5, "a", 3), 13),  # of what is behind the picture two places at least are given again
        ((5, "a", 9), (5, "a", 9), 17),
        ((5, "a", 20), (5, "a", 9), 17),
        (
            (5, "a", 3),
            (5, "b", 3),
            0,
        ),  # another picture: of what is before it whole tiles, and two places again
        ((6, "a", 3), (6, "b", 3), 4),
        ((6, "a", 3), (6, "a", 9), 14),
        ((6, "a", 3, "b"), (6, "a", 3, "c", 4), 14),
        ((6, "a", 9, "b"), (6, "a", 9, "c", 4), 18),
        ((6, "a"), (6, "a", 1), 14),
        ((6, "a", 2), (6, "a"), 6),  # scores are wanted behind the picture
        ((20,), (6, "a", 1), 4),
        ((20,), (20, "a", 1), 16),  # the last tile of what is before a picture was cut otherwise
        ((20, "a"), (20, "a", 1), 28),
        ((), (6, "a"), 0),
        ((3,), (), 0),
    ],
)
def test_what_is_reused_never_ends_inside_a_picture_that_looks_both_ways(known, wanted, reused):
    assert reusable(pictured(*known), pictured(*wanted), both_ways=True) == reused
