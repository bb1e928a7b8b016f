from __future__ import annotations

import numpy as np
import pytest

from edgekit.errors import BundleError, UsageError
from edgekit.processing.grammar import DEAD, choice, json_object
from edgekit.processing.masks import Masks
from edgekit.processing.token_bytes import token_bytes
from tests.decoder_files import SPECIAL, tokenizer

tokenizers = pytest.importorskip("tokenizers", reason="the extra text")


def byte_level():
    return tokenizers.Tokenizer.from_str(tokenizer().decode())


def sentencepiece():
    """As Gemma's: spaces are ▁, bytes that no piece holds are tokens of their own."""
    pieces = [
        "<unk>",
        "<s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "▁",
        "a",
        "b",
        "▁a",
        "ab",
        '"',
        '":',
        "ü",
    ]
    model = tokenizers.models.BPE(
        vocab={piece: i for i, piece in enumerate(pieces)}, merges=[], byte_fallback=True, unk_token="<unk>"
    )
    made = tokenizers.Tokenizer(model)
    made.normalizer = tokenizers.normalizers.Replace(" ", "▁")
    parts = tokenizers.decoders
    made.decoder = parts.Sequence([parts.Replace("▁", " "), parts.ByteFallback(), parts.Fuse()])
    made.add_special_tokens(["<unk>", "<s>"])
    return made


@pytest.mark.parametrize("make", [byte_level, sentencepiece])
def test_bytes_are_what_the_tokenizer_decodes(make):
    made = make()
    words = token_bytes(made, 300)
    special = {made.token_to_id(text) for text in (*SPECIAL, "<unk>", "<s>")} - {None}
    for token in range(made.get_vocab_size()):
        if token in special:
            assert words.of(token) == b""
        elif words.of(token).isascii():
            assert words.of(token).decode() == made.decode([token])
    text = 'a "b": ü € ab'
    assert b"".join(words.of(token) for token in made.encode(text).ids) == text.encode()
    assert words.lengths[made.get_vocab_size() :].sum() == 0


def test_a_tokenizer_of_another_kind_is_refused():
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a"))
    with pytest.raises(UsageError, match="expected a tokenizer of bytes"):
        token_bytes(made, 1)


def by_hand(grammar, words, state, left):
    found = []
    for token in range(len(words.lengths)):
        at = state
        for byte in words.of(token):
            at = int(grammar.table[at, byte]) if at != DEAD else DEAD
        if words.of(token) and at != DEAD and grammar.distance[at] < left:
            found.append(token)
    return found


@pytest.mark.parametrize("make", [byte_level, sentencepiece])
@pytest.mark.parametrize("left", [3, 8, 100])
def test_masks_are_those_found_token_by_token(make, left):
    words = token_bytes(make(), 300)
    grammar = json_object({"ab": "string", "n": "number"})
    masks = Masks(grammar, words)
    for state in range(len(grammar.table)):
        expected = by_hand(grammar, words, state, left)
        if expected or grammar.accepting[state]:
            np.testing.assert_array_equal(masks.allowed(state, left), expected)
        else:
            with pytest.raises(BundleError):
                masks.allowed(state, left)
        for token in expected[:5]:
            at = state
            for byte in words.of(token):
                at = int(grammar.table[at, byte])
            assert masks.after(state, token) == at


def test_a_byte_that_is_no_token_is_named():
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={"a": 0, "b": 1, "ab": 2}, merges=[("a", "b")]))
    made.decoder = tokenizers.decoders.ByteLevel()
    words = token_bytes(made, 3)
    assert Masks(choice(["ab", "b"]), words).allowed(0, 9).tolist() == [0, 1, 2]
    with pytest.raises(UsageError, match="no token for 'c' alone"):
        Masks(choice(["abc"]), words)


def test_a_choice_that_goes_on_may_end_before():
    masks = Masks(choice(["a", "ab"]), token_bytes(sentencepiece(), 300))
    state = masks.after(0, 259)  # a
    assert masks.grammar.accepting[state]
    assert not masks.is_whole(state)
    assert masks.is_whole(masks.after(0, 262))  # ab
    assert masks.least == 1
