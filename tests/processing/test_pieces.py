from __future__ import annotations

import pytest

from edgekit.processing.pieces import MOST_WAITING, Pieces, Stops


def of_bytes(ids):
    """A tokenizer whose tokens are bytes."""
    return bytes(ids).decode("utf-8", "replace")


def test_a_character_comes_whole():
    pieces = Pieces(of_bytes)
    assert [pieces.add(byte) for byte in "aä€🙂b".encode()] == [
        "a", "", "ä", "", "", "€", "", "", "", "🙂", "b",
    ]  # fmt: skip


def test_what_is_no_character_comes_with_what_follows():
    pieces = Pieces(of_bytes)
    assert [pieces.add(byte) for byte in b"a\xff\xfeb"] == ["a", "", "", "\ufffd\ufffdb"]


def test_noise_is_not_waited_for_for_ever():
    pieces = Pieces(of_bytes)
    told = [pieces.add(0xFF) for _ in range(3 * MOST_WAITING)]
    assert len("".join(told)) >= 2 * MOST_WAITING
    assert [pieces.add(byte) for byte in b"ok"][-1] == "k"


@pytest.mark.parametrize("text", ["plain", "ä" * 50, "日本語 text 🙂🙂", "a\u0301" * 9])
def test_all_pieces_are_the_text(text):
    pieces = Pieces(of_bytes)
    assert "".join(pieces.add(byte) for byte in text.encode()) == text


def spoken(stops, *pieces):
    held = Stops(stops)
    return [held.add(piece) for piece in pieces], held.rest(), held.found


def test_a_stop_string_ends_the_text_also_across_pieces():
    assert spoken(["END"], "one E", "N", "D two", "more") == (["one ", "", "", ""], "", True)


def test_what_looked_like_one_is_told_when_it_is_none():
    assert spoken(["END"], "E", "EN", "x") == (["", "E", "ENx"], "", False)
    assert spoken(["END"], "the E", "N") == (["the ", ""], "EN", False)


def test_the_first_of_several_ends_it():
    assert spoken(["two", "one"], "a one two") == (["a "], "", True)
    assert spoken([], "a") == (["a"], "", False)
