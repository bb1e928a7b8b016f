import json

import numpy as np
import pytest

pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit.bundle.manifest import TextInput
from edgekit.errors import BundleError, DataError
from edgekit.processing.tokens import TextEncoder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "ferry", "leaves", "late"]
PADDING = {
    "strategy": {"Fixed": 4},
    "direction": "Right",
    "pad_to_multiple_of": None,
    "pad_id": 0,
    "pad_type_id": 0,
    "pad_token": "[PAD]",
}


def template(cls=2, sep=3):
    special = {"[CLS]": cls, "[SEP]": sep}
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    return {
        "type": "TemplateProcessing",
        "single": [*single, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
        "pair": [],
        "special_tokens": {k: {"id": k, "ids": [v], "tokens": [k]} for k, v in special.items()},
    }


@pytest.fixture
def encoder(tmp_path):
    def make(*, padding=None, special=True, **spec):
        known = {
            "version": "1.0",
            "truncation": {"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
            "padding": padding,
            "added_tokens": [],
            "normalizer": {"type": "Lowercase"},
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": template() if special else None,
            "decoder": None,
            "model": {
                "type": "WordLevel",
                "vocab": {word: i for i, word in enumerate(WORDS)},
                "unk_token": "[UNK]",
            },
        }
        (tmp_path / "tokenizer.json").write_text(json.dumps(known))
        return TextEncoder(TextInput(tokenizer="tokenizer.json", **{"max_tokens": 6, **spec}), tmp_path)

    return make


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("The ferry leaves", [2, 4, 5, 6, 3]),
        ("", [2, 3]),
        (" \n\t", [2, 3]),
        ("tram", [2, 1, 3]),
        ("late " * 99, [2, 7, 7, 7, 7, 3]),
    ],
)
def test_true_length_up_to_the_limit(encoder, text, ids):
    feed = encoder(padding=PADDING)(text)  # what the file says of padding and cutting does not count
    assert list(feed) == ["input_ids", "attention_mask"]
    assert feed["input_ids"].tolist() == [ids]
    assert feed["attention_mask"].tolist() == [[1] * len(ids)]
    assert {array.dtype for array in feed.values()} == {np.dtype("int64")}


def test_names_types_and_width(encoder):
    feed = encoder(ids="a", mask=None, types="c", dtype="int32")("ferry")
    assert {name: array.tolist() for name, array in feed.items()} == {"a": [[2, 5, 3]], "c": [[0, 0, 0]]}
    assert feed["a"].dtype == np.int32


def test_fixed_length(encoder):
    feed = encoder(padding=PADDING, fixed=True)("ferry")
    assert feed["input_ids"].tolist() == [[2, 5, 3, 0, 0, 0]]
    assert feed["attention_mask"].tolist() == [[1, 1, 1, 0, 0, 0]]


def test_a_fixed_length_needs_padding(encoder):
    with pytest.raises(BundleError, match="has no padding"):
        encoder(fixed=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [(b"ferry", "expected a str, got bytes"), (None, "got NoneType"), ("half \ud83d", "U\\+D83D is half")],
)
def test_what_is_no_text(encoder, given, message):
    with pytest.raises(DataError, match=message):
        encoder()(given)


def test_a_text_without_a_token(encoder):
    with pytest.raises(DataError, match="gives no token"):
        encoder(special=False)("")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"version": "9"}'])
def test_a_tokenizer_that_cannot_be_read(tmp_path, text):
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(BundleError, match="no tokenizer that can be read"):
        TextEncoder(TextInput(tokenizer="tokenizer.json", max_tokens=6), tmp_path)
