"""Calibration text as sequences: where pieces come from, and too little of it."""

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit_export.quantize.text_calibration import calibration_sequences


def encode(text: str) -> list[int]:
    return [ord(c) for c in text]


def test_pieces_come_from_everywhere() -> None:
    found = calibration_sequences(["a" * 300, "b" * 298], encode, None, length=4, most=10)
    assert found.shape == (10, 4) and found.dtype == np.int64
    assert ["".join(map(chr, row)) for row in found] == ["aaaa"] * 5 + ["bbbb"] * 5


def test_each_begins_with_the_first_token() -> None:
    found = calibration_sequences(["abcdefgh" * 4], encode, 7, length=4, most=3)
    assert found.tolist() == [[7, 97, 98, 99]]


def test_a_text_that_gives_few_tokens_is_left_out() -> None:
    found = calibration_sequences([" " * 32 + "abcd" * 8], encode, None, length=4, most=2)
    assert found.tolist() == [[97, 98, 99, 100]]


@pytest.mark.parametrize("texts", [[], ["short"], [" " * 100]])
def test_too_little_text(texts: list[str]) -> None:
    with pytest.raises(DataError, match="one sequence of 4 tokens"):
        calibration_sequences(texts, encode, None, length=4)
