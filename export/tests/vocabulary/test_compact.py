"""Merges left out never run: the same ids with them and without."""

import json
import random
from itertools import pairwise

import pytest

from edgekit.errors import ModelError
from edgekit_export.vocabulary.compact import compact, last_merges, merge_lines

tokenizers = pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")


def drawn_vocabulary(seed, letters="abc"):
    """Tokens by falling score, the letters last; every one of two others, as training gives them."""
    rng = random.Random(seed)
    found = list(letters)
    for _ in range(60):
        text = rng.choice(found) + rng.choice(found)
        if text not in found and len(text) < 9:
            found.append(text)
    merged = found[len(letters) :]
    rng.shuffle(merged)  # a token may stand before those it is made of
    return [*merged, *letters]


def all_merges(texts):
    known = set(texts)
    return [(t[:i], t[i:]) for t in texts for i in range(1, len(t)) if t[:i] in known and t[i:] in known]


def tokenizer_of(texts, merges):
    model = {"type": "BPE", "vocab": {text: i for i, text in enumerate(texts)}, "merges": merges}
    return json.dumps({"version": "1.0", "added_tokens": [], "model": model}, indent=2).encode()


def sentencepiece(text, ranks):
    """The best pair first, leftmost of equals, by scores of tokens alone (Kudo and Richardson 2018)."""
    parts = list(text)
    while True:
        places = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not places:
            return [ranks[part] for part in parts]
        at = min(places)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


@pytest.mark.parametrize("seed", range(20))
def test_one_merge_a_token_gives_the_ids_of_all_and_of_sentencepiece(seed):
    texts = drawn_vocabulary(seed)
    merges = all_merges(texts)
    whole = tokenizer_of(texts, merges)
    smaller = compact(whole)
    assert len(last_merges(merges)) <= len(texts) - 3 < len(merges)
    assert len(smaller) < len(whole) / 2
    one, two = (tokenizers.Tokenizer.from_str(data.decode()) for data in (whole, smaller))
    ranks, rng = {text: i for i, text in enumerate(texts)}, random.Random(seed)
    for _ in range(200):
        text = "".join(rng.choices("abc", k=rng.randrange(40)))
        ids = two.encode(text).ids
        assert ids == one.encode(text).ids == sentencepiece(text, ranks)


def test_merges_that_run_stay_in_their_order():
    assert last_merges([("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc"), ("x", "y")]) == [
        ("a", "b"), ("b", "c"), ("ab", "c"), ("x", "y"),
    ]  # fmt: skip
    assert last_merges([("b", "c"), ("a", "b"), ("ab", "c"), ("a", "bc")]) == [
        ("b", "c"),
        ("a", "b"),
        ("a", "bc"),
    ]
    assert last_merges([("b", "c"), ("ab", "c"), ("a", "b"), ("ab", "cd"), ("abc", "d"), ("c", "d")]) == [
        ("b", "c"), ("ab", "c"), ("a", "b"), ("c", "d"),
    ]  # fmt: skip
    assert last_merges([]) == []


def test_tokens_with_spaces_stay_pairs():
    assert merge_lines([("a", "b")]) == ["a b"]
    assert merge_lines([("a", "b"), (" ", "c")]) == [("a", "b"), (" ", "c")]


def test_other_models_lose_spaces_alone():
    model = {"type": "WordLevel", "vocab": {"é": 0}, "unk_token": "é"}
    assert compact(json.dumps({"model": model}, indent=1).encode()) == (
        '{"model":{"type":"WordLevel","vocab":{"é":0},"unk_token":"é"}}'.encode()
    )


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"model":'])
def test_damage(data):
    with pytest.raises(ModelError, match="tokenizer: is no JSON"):
        compact(data)
