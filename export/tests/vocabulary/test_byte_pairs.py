"""Pieces of tokens."""

from __future__ import annotations

import pytest

from edgekit_export.vocabulary.byte_pairs import read_byte_pairs

VOCABULARY = {t: i for i, t in enumerate(["a", "b", "c", "ab", "bc", "abc", "cab", "abab", "zz"])}


def pairs(merges: list[object], **more: object):
    return read_byte_pairs({"type": "BPE", "vocab": VOCABULARY, "merges": merges, **more})


def test_pieces_are_what_the_merges_go_through() -> None:
    found = pairs([["b", "c"], ["a", "b"], ["a", "bc"], ["ab", "c"], ["ab", "ab"]])
    assert found.pieces("abc") == {"a", "b", "c", "bc", "abc"}
    assert found.pieces("abab") == {"a", "b", "ab", "abab"}
    assert found.pieces("a") == {"a"}


def test_the_order_of_merges_decides() -> None:
    assert pairs([["a", "b"], ["b", "c"], ["ab", "c"]]).pieces("abc") == {"a", "b", "c", "ab", "abc"}


@pytest.mark.parametrize("token", ["cab", "zz"])
def test_tokens_that_merges_do_not_lead_to_have_none(token: str) -> None:
    assert pairs(["a b", "c ab", "b c"]).pieces("zz") is None
    assert pairs(["a b", "b c"]).pieces(token) is None


def test_merges_are_pairs_or_strings() -> None:
    assert pairs(["a b"]).merges == pairs([["a", "b"]]).merges == (("a", "b"),)
    assert pairs(["a b"]).unknown is None
    assert pairs(["a b"], byte_fallback=True).byte_fallback
