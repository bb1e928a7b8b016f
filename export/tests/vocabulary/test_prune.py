"""Pruned tokenizers: what stays, its numbers, and that no text is lost."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from edgekit.errors import ModelError, UsageError
from edgekit_export.sources.huggingface.tokenizer import strange_texts
from edgekit_export.sources.text_model import Words
from edgekit_export.vocabulary import Pruned, prune, prune_words

FEW = 420


@pytest.fixture(scope="module")
def pruned(tokenizer: bytes, texts: list[str]) -> Pruned:
    return prune(tokenizer, texts, keep=FEW)


def library(data: bytes) -> Tokenizer:
    made = Tokenizer.from_buffer(data)
    made.no_padding()
    return made


def test_the_best_tokens_are_kept_and_numbered_in_their_old_order(
    tokenizer: bytes, pruned: Pruned, texts: list[str]
) -> None:
    old, new = library(tokenizer), library(pruned.tokenizer)
    assert FEW - 8 <= len(pruned.kept) <= FEW < pruned.of == old.get_vocab_size()
    assert (np.diff(pruned.kept) > 0).all()
    assert pruned.kept.dtype == np.int64
    for at, i in enumerate(pruned.kept.tolist()):
        assert new.id_to_token(at) == old.id_to_token(i)
    ids = [i for text in texts for i in old.encode(text, add_special_tokens=False).ids]
    stayed = set(pruned.kept.tolist())
    assert pruned.coverage == pytest.approx(sum(i in stayed for i in ids) / len(ids))
    assert 0.4 < pruned.coverage < 1


def test_special_tokens_bytes_and_ascii_stay_and_unused_placeholders_go(tokenizer: bytes) -> None:
    new = library(prune(tokenizer, []).tokenizer)
    vocabulary = new.get_vocab()
    assert {"<pad>", "<bos>", "<eos>", "<unk>", "\n\n"} <= vocabulary.keys()
    assert not any(token.startswith("<unused") for token in vocabulary)
    assert sum(token.startswith("<0x") for token in vocabulary) in (0, 256)
    assert new.encode("a").ids == [vocabulary["<bos>"], vocabulary["a"]]
    parsed = json.loads(new.to_str())
    assert parsed["added_tokens"][0] == {
        "id": vocabulary["<pad>"],
        "content": "<pad>",
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }
    old_merges = json.loads(tokenizer)["model"]["merges"]
    assert 0 < len(parsed["model"]["merges"]) < len(old_merges) / 4  # those of the roles' words


def test_ids_in_padding_and_template_are_renumbered(tokenizer: bytes) -> None:
    data = json.loads(tokenizer)
    shifted = {token: 4000 - i for token, i in data["model"]["vocab"].items()}
    data["model"]["vocab"] = shifted
    for token in data["added_tokens"]:
        token["id"] = shifted.setdefault(token["content"], 5000)
    data["padding"]["pad_id"] = shifted["<pad>"]
    data["post_processor"]["special_tokens"]["<bos>"]["ids"] = [shifted["<bos>"]]
    found = json.loads(prune(json.dumps(data).encode(), ["it is"]).tokenizer)
    vocabulary = found["model"]["vocab"]
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
    assert found["padding"]["pad_id"] == vocabulary["<pad>"]
    assert found["post_processor"]["special_tokens"]["<bos>"]["ids"] == [vocabulary["<bos>"]]


def test_texts_of_kept_tokens_are_cut_as_before(tokenizer: bytes, texts: list[str]) -> None:
    pruned = prune(tokenizer, texts)
    old, new = library(tokenizer), library(pruned.tokenizer)
    assert pruned.coverage == 1.0
    assert len(pruned.kept) < pruned.of
    for text in texts:
        assert pruned.kept[new.encode(text).ids].tolist() == old.encode(text).ids


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_comes_back_as_before(tokenizer: bytes, pruned: Pruned, text: str) -> None:
    old, new = library(tokenizer), library(pruned.tokenizer)
    ids, fewer = old.encode(text).ids, new.encode(text).ids
    assert new.decode(fewer, skip_special_tokens=False) == old.decode(ids, skip_special_tokens=False)
    if set(ids) <= set(pruned.kept.tolist()):
        assert pruned.kept[fewer].tolist() == ids


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(
        st.sampled_from(
            ["the", "of", "Anna", "kettle", "oven", "Dresden", "snow", "15", "snowy", "unkettle", "ß", "東"]
        ),
        max_size=8,
    )
)
def test_words_of_kept_tokens_are_cut_as_before(tokenizer: bytes, pruned: Pruned, words: list[str]) -> None:
    text = " ".join(words)
    old, new = library(tokenizer), library(pruned.tokenizer)
    ids, fewer = old.encode(text).ids, new.encode(text).ids
    assert len(fewer) >= len(ids)
    if set(ids) <= set(pruned.kept.tolist()):
        assert pruned.kept[fewer].tolist() == ids


def test_round_trip_of_strange_texts(tokenizer: bytes) -> None:
    new = library(prune(tokenizer, []).tokenizer)
    for text in strange_texts():
        back = new.decode(new.encode(text, add_special_tokens=False).ids, skip_special_tokens=False)
        assert back == text or (back == text.replace("▁", " ") and "▁" in text)


def test_the_rarest_go_first_and_least_is_a_floor(tokenizer: bytes) -> None:
    old = library(tokenizer)
    whole = old.encode("garlic kettle", add_special_tokens=False).ids
    corpus = ["garlic"] * 3 + [" kettle"]
    found = prune(tokenizer, corpus, least=2)
    assert set(old.encode("garlic", add_special_tokens=False).ids) <= set(found.kept.tolist())
    assert found.coverage < 1
    assert set(whole) <= set(prune(tokenizer, ["garlic kettle"]).kept.tolist())


def test_a_word_list_weighs_as_much_as_a_million_tokens(tokenizer: bytes) -> None:
    old = library(tokenizer)
    only = prune(tokenizer, [], words={"thunderstorm": 1e-3, "hail": 1e-9})
    wanted = old.encode(" thunderstorm", add_special_tokens=False).ids
    assert set(wanted) <= set(only.kept.tolist())
    assert len(only.kept) < len(prune(tokenizer, [], words={"thunderstorm": 1e-3, "hail": 1e-3}).kept)
    assert only.coverage == 1.0


def test_other_spellings_of_words_fill_up(tokenizer: bytes) -> None:
    old = library(tokenizer)
    words = [" Tuesday", " tuesday", "How", " How"]
    ids = [old.encode(word, add_special_tokens=False).ids for word in words]
    assert [len(i) == 1 for i in ids] == [True, False, True, True]
    used, other = ids[2][0], ids[3][0]
    few = prune(tokenizer, ["How"])
    assert used in few.kept
    assert other not in few.kept
    assert (
        other in prune(tokenizer, ["How"], keep=len(few.kept) + 4).kept
    )  # there is no punctuation of two marks


def test_placeholders_that_texts_use_stay(tokenizer: bytes) -> None:
    found = prune(tokenizer, ["a <unused3> b"])
    kept = library(found.tokenizer).get_vocab()
    assert "<unused3>" in kept
    assert "<unused2>" not in kept


def test_named_tokens_stay_and_words_are_renumbered(tokenizer: bytes) -> None:
    old = library(tokenizer)
    bos, eos, unused = (old.token_to_id(t) for t in ("<bos>", "<eos>", "<unused4>"))
    words = Words(tokenizer, "{{ messages }}", bos, (eos, unused), {"bos_token": "<bos>"})
    with pytest.raises(UsageError, match=f"token {unused} was dropped"):
        prune_words(words, prune(tokenizer, []))
    found = prune(tokenizer, [], named=words.ends)
    new = library(found.tokenizer)
    wanted = tuple(new.token_to_id(t) for t in ("<eos>", "<unused4>"))
    assert prune_words(words, found) == replace(
        words, tokenizer=found.tokenizer, first=new.token_to_id("<bos>"), ends=wanted
    )
    assert prune_words(replace(words, first=None, ends=()), found).first is None


def test_too_few_is_refused_with_the_number_needed(tokenizer: bytes) -> None:
    needed = len(prune(tokenizer, []).kept)
    with pytest.raises(UsageError, match=f"100 tokens, but {needed} are needed"):
        prune(tokenizer, ["text"], keep=100)
    assert len(prune(tokenizer, ["text"], keep=needed).kept) == needed


def _changed(tokenizer: bytes, **model: object) -> bytes:
    data = json.loads(tokenizer)
    data["model"] |= model
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"type": "Unigram"}, "'Unigram', expected 'BPE'"),
        ({"dropout": 0.1}, "dropout are"),
        ({"continuing_subword_prefix": "##"}, "expected none of them"),
        ({"vocab": {"a": 0, "b": 0}, "merges": []}, "got 2 with 1 ids"),
        ({"vocab": {}, "merges": []}, "got 0 with 0 ids"),
        ({"vocab": {"a": 0, "b": 1}, "merges": ["a b"]}, "one or both are no token"),
        ({"merges": ["ab"]}, "expected two tokens with a space"),
        ({"merges": ["a b c"]}, "expected two tokens with a space"),
        ({"unk_token": "<none>"}, "'<none>' is not in the vocabulary"),
        ({"vocab": [1]}, "model: Expected `object`"),
    ],
)
def test_what_cannot_be_pruned_is_named(tokenizer: bytes, model: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message.replace("(", r"\(")):
        prune(_changed(tokenizer, **model), ["text"])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"model": 3}', b"\xff", b"[" * 100_000])
def test_what_is_no_tokenizer_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="tokenizer"):
        prune(data, ["text"])


@pytest.mark.parametrize(
    "change",
    [
        {"post_processor": {"type": "Other"}},
        {"post_processor": {"type": "TemplateProcessing"}},
        {"post_processor": []},
        {"padding": {"pad_id": [1]}},
        {"added_tokens": [{"id": "x", "content": "<pad>"}]},
        {"added_tokens": [{"id": 17, "content": "<pad>"}]},
    ],
)
def test_what_does_not_fit_around_the_model_is_refused(tokenizer: bytes, change: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="token"):
        prune(json.dumps(json.loads(tokenizer) | change).encode(), ["text"])


def test_a_template_of_a_token_that_it_does_not_name_is_refused(tokenizer: bytes) -> None:
    """The library reads it, and panics when it cuts a text."""
    given = json.loads(tokenizer)
    part = {"SpecialToken": {"id": "<other>", "type_id": 0}}
    single = [part, {"Sequence": {"id": "A", "type_id": 0}}]
    given["post_processor"] = {
        "type": "TemplateProcessing",
        "single": single,
        "pair": single,
        "special_tokens": {},
    }
    with pytest.raises(ModelError, match="tokenizer"):
        prune(json.dumps(given).encode(), ["a word"])


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damaged_tokenizers_are_refused_or_pruned(tokenizer: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(tokenizer) - 1))
    damaged = bytearray(tokenizer)
    damaged[at] = data.draw(st.integers(0, 255))
    try:
        found = prune(bytes(damaged), ["a word"])
    except ModelError:
        return
    assert len(found.kept) <= found.of
