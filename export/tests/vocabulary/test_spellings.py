"""Other spellings of words."""

from __future__ import annotations

import pytest

from edgekit_export.vocabulary.spellings import other_spellings, punctuation

WORDS = ["{}word", "word", "{}Word", "Word", "{}WORD", "{}words", "a", "{}a", "{}12", "12", "don", "{}don't"]


@pytest.mark.parametrize("space", ["▁", "Ġ"])
def test_case_and_space_are_other_spellings(space: str) -> None:
    ids = {token.format(space): i for i, token in enumerate(WORDS)}
    assert other_spellings(ids, {0: 5.0}) == {1: 5.0, 2: 5.0, 3: 5.0}
    assert other_spellings(ids, {0: 5.0, 3: 2.0}) == {1: 7.0, 2: 7.0}
    assert other_spellings(ids, {4: 1.0}) == {0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0}


def test_letters_numbers_and_other_words_have_none() -> None:
    ids = {token.format("▁"): i for i, token in enumerate(WORDS)}
    assert other_spellings(ids, {5: 1.0, 6: 1.0, 8: 1.0, 11: 1.0, 99: 1.0}) == {}
    assert other_spellings(ids, {}) == {}


def test_punctuation_is_up_to_three_marks() -> None:
    tokens = ['"', ',"', "▁(", "...", "▁—", "Ġ«", ".”", "....", "a.", "1", "▁", "▁▁", "", "<0x0A>", "。"]
    ids = {token: i for i, token in enumerate(tokens)}
    assert punctuation(ids) == {0, 1, 2, 3, 4, 6}
