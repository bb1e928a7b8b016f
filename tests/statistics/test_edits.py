import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.statistics.edits import edit_distance, page_edits


def by_table(first, second):
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
        ("same", "same", 0),
        ("a", "b", 1),
        ("ab", "ba", 2),
        ("größe", "grosse", 3),
        ("x" * 100, "x" * 99 + "y", 1),
        ("日本語", "日本", 1),
    ],
)
def test_known(first, second, edits):
    assert edit_distance(first, second) == edit_distance(second, first) == edits


@given(st.text("abc", max_size=80), st.text("abc", max_size=80))
def test_like_the_table(first, second):
    assert edit_distance(first, second) == by_table(first, second)


def test_long_texts():
    rng = random.Random(1)
    first = "".join(rng.choices("abcdefgh ", k=700))
    second = "".join(c for c in first if rng.random() > 0.1)
    assert edit_distance(first, second) == len(first) - len(second)


@pytest.mark.parametrize(
    ("read", "truth", "edits"),
    [
        ([], [], 0),
        (["abc"], [], 3),
        ([], ["ab", "c"], 3),
        (["ab", "cd"], ["cd", "ab"], 0),
        (["abcd", "xy"], ["abce", "xyz"], 2),
        (["total 5", "thanks"], ["thanks"], 7),
        (["abc"], ["xyz"], 3),
        (["aaaa", "aaab"], ["aaab"], 4),
    ],
)
def test_pages_are_compared_line_by_line_in_any_order(read, truth, edits):
    assert page_edits(read, truth) == edits
    assert page_edits(truth, read) == edits


def test_one_line_is_the_plain_distance():
    assert page_edits(["kitten"], ["sitting"]) == edit_distance("kitten", "sitting") == 3
