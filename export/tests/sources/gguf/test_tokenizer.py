"""Tokenizers made of GGUF vocabularies: ids, texts that come back, beginnings and spaces."""

import json

import pytest

from edgekit_export.sources.gguf.tokenizer import tokenizer_json
from edgekit_export.sources.gguf.vocabulary import read_vocabulary

tokenizers = pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

BYTES = [f"<0x{i:02X}>" for i in range(256)]
PIECES = ["▁t", "he", "▁the", "▁the▁", "in", *"▁abcdefghijklmnopqrstuvwxyz."]
SENTENCEPIECE = {
    "tokenizer.ggml.model": "llama",
    "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", "\n\n", "  ", *BYTES, *PIECES],
    "tokenizer.ggml.token_type": [2, 3, 3, 4, 4, *[6] * 256, *[1] * len(PIECES)],
    "tokenizer.ggml.scores": [0.0] * 261 + [-float(i) for i in range(len(PIECES))],
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 2,
    "tokenizer.ggml.unknown_token_id": 0,
}
LETTERS = [chr(i) for i in (*range(33, 127), *range(161, 173), *range(174, 256))] + [
    chr(256 + i) for i in range(68)
]
BYTE_LEVEL = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": ["<|endoftext|>", "<|im_end|>", *LETTERS, "Ġt", "he", "Ġthe", "12"],
    "tokenizer.ggml.token_type": [3, 3] + [1] * 260,
    "tokenizer.ggml.merges": ["Ġ t", "h e", "Ġt he", "1 2"],
    "tokenizer.ggml.eos_token_id": 1,
}


def made(metadata, **other):
    known = read_vocabulary({**metadata, **{f"tokenizer.ggml.{k}": v for k, v in other.items()}}, "here")
    data = tokenizer_json(known, "here")
    return tokenizers.Tokenizer.from_str(data.decode()), known, json.loads(data)


def test_sentencepiece_merges_by_score_and_falls_back_to_bytes():
    tokenizer, known, data = made(SENTENCEPIECE, add_space_prefix=False)
    assert tokenizer.encode("the cat in the hat é").tokens == [
        "t", "he", "▁", "c", "a", "t", "▁", "in", "▁the▁", "h", "a", "t", "▁", "<0xC3>", "<0xA9>",
    ]  # fmt: skip
    assert data["model"]["merges"] == ["▁ t", "h e", "▁t he", "▁the ▁", "i n"]
    assert (known.first, known.ends) == (1, (2,))
    for text in ("the cat in the hat é", " two  spaces   \n\n\n lines", "", " ", "日本"):
        assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_a_space_is_put_before_texts_only_where_the_vocabulary_says_so():
    tokenizer, _, _ = made(SENTENCEPIECE)  # sentencepiece's own default
    assert tokenizer.encode("the").tokens == ["▁the"]
    assert tokenizer.decode(tokenizer.encode("the in").ids) == "the in"
    tokenizer, _, _ = made(SENTENCEPIECE, add_space_prefix=False)
    assert tokenizer.encode("the").tokens == ["t", "he"]


def test_tokens_of_the_user_are_found_before_all_others():
    tokenizer, known, _ = made(SENTENCEPIECE, add_space_prefix=False)
    encoded = tokenizer.encode("a\n\n\nb    c</s>")
    assert encoded.tokens == ["a", "\n\n", "<0x0A>", "b", "  ", "  ", "c", "</s>"]
    assert tokenizer.decode(encoded.ids, skip_special_tokens=True) == "a\n\n\nb    c"
    assert known.special == {"bos": 1, "eos": 2, "unk": 0}


def test_bytes_are_merged_in_words_and_digits_stand_alone():
    tokenizer, known, _ = made(BYTE_LEVEL)
    assert tokenizer.encode("the the 12<|im_end|>").tokens == ["t", "he", "Ġthe", "Ġ", "1", "2", "<|im_end|>"]
    assert (known.first, known.ends) == (None, (0, 1))
    tokenizer, _, _ = made(BYTE_LEVEL, pre="gpt-2")
    assert tokenizer.encode("the 12").tokens == ["t", "he", "Ġ", "12"]
    for text in ("naïve café", "日本 the\n", "\x00"):
        assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


@pytest.mark.parametrize(
    ("other", "first", "ends"),
    [
        ({"add_bos_token": False}, None, (2,)),
        ({"add_bos_token": True, "bos_token_id": 3}, 3, (2,)),
        ({"eot_token_id": 5, "eom_token_id": 4}, 1, (2, 4, 5)),
    ],
)
def test_first_and_last_tokens(other, first, ends):
    _, known, data = made(SENTENCEPIECE, **other)
    assert (known.first, known.ends) == (first, ends)
    assert data["post_processor"] is None
