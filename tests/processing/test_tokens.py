import json

import numpy as np
import pytest

pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit.bundle.manifest import TextInput
from edgekit.errors import BundleError, DataError
from edgekit.processing.tokens import MAX_CHARACTERS, TextEncoder, tokenizer_faults

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
    def make(*, padding=None, special=True, processor=None, unknown="[UNK]", **spec):
        known = {
            "version": "1.0",
            "truncation": {"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
            "padding": padding,
            "added_tokens": [],
            "normalizer": {"type": "Lowercase"},
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": processor or (template() if special else None),
            "decoder": None,
            "model": {
                "type": "WordLevel",
                "vocab": {word: i for i, word in enumerate(WORDS)},
                "unk_token": unknown,
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


@pytest.mark.parametrize("multiple", [1, 4, 2**32, 2**63 - 1])
def test_a_fixed_length_is_no_multiple_of_anything(encoder, multiple):
    feed = encoder(padding={**PADDING, "pad_to_multiple_of": multiple}, fixed=True)("ferry")
    assert feed["input_ids"].tolist() == [[2, 5, 3, 0, 0, 0]]


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


SECOND_OF_ONE = {
    "type": "TemplateProcessing",
    "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
    "pair": [],
    "special_tokens": {},
}
NO_SUCH_TOKEN = {**template(), "special_tokens": {}}
FAR_TYPE = {**SECOND_OF_ONE, "single": [{"Sequence": {"id": "A", "type_id": 2**31}}]}


@pytest.mark.parametrize("processor", [SECOND_OF_ONE, NO_SUCH_TOKEN])
def test_a_panic_is_the_bundles_fault(encoder, processor):
    with pytest.raises(BundleError, match=r"^tokenizer\.json: .*(index out of bounds|no entry|[Mm]issing)"):
        encoder(processor=processor)("ferry")


def test_a_tokenizer_that_fails_at_a_text(encoder):
    with pytest.raises(BundleError, match="tokenizer.json: the tokenizer fails: .*vocabulary"):
        encoder(unknown="[NONE]")("tram")


def test_no_room_beside_special_tokens(encoder):
    with pytest.raises(BundleError, match=r"gives \d+ tokens, expected up to 1"):
        encoder(max_tokens=1)("the ferry leaves late")


@pytest.mark.parametrize(("processor", "number"), [(template(cls=2**32 - 1), 2**32 - 1), (FAR_TYPE, 2**31)])
def test_numbers_that_do_not_fit_the_input(encoder, processor, number):
    assert encoder(processor=processor, dtype="int64", types="t")("ferry")["t"].dtype == np.int64
    with pytest.raises(BundleError, match=f"gives the number {number}, expected int32"):
        encoder(processor=processor, dtype="int32")("ferry")


def test_other_exceptions_pass():
    with pytest.raises(KeyboardInterrupt), tokenizer_faults("tokenizer.json"):
        raise KeyboardInterrupt


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"version": "9"}'])
def test_a_tokenizer_that_cannot_be_read(tmp_path, text):
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(BundleError, match="no tokenizer that can be read"):
        TextEncoder(TextInput(tokenizer="tokenizer.json", max_tokens=6), tmp_path)


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_text_of_more_characters_than_are_worth_splitting(encoder, beyond):
    text = "the ferry ".ljust(MAX_CHARACTERS + beyond)
    if not beyond:
        assert encoder()(text)["input_ids"].tolist() == [[2, 4, 5, 3]]
        return
    with pytest.raises(DataError, match="text: 1,000,001 characters, expected up to 1,000,000") as caught:
        encoder()(text)
    assert caught.value.remedy == "give it in parts: the model reads the first 6 tokens of each"
