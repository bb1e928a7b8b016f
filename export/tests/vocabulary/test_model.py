"""Checkpoints with a smaller vocabulary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer

from edgekit.bundle.manifest import Card
from edgekit.errors import ModelError
from edgekit_export.architectures.shape import DecoderShape, Rope
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.sources.text_model import TextModel, Words
from edgekit_export.vocabulary.model import prune_model

HIDDEN = 32


def checkpoint(tokenizer: bytes, coded: bool) -> TextModel:
    old = Tokenizer.from_buffer(tokenizer)
    size = old.get_vocab_size()
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (size, HIDDEN)).astype(np.uint8)
    table = Blockwise(codes, 8, 32, rng.random((size, 1)).astype(np.float16), 128)
    tensors = {
        "embed_tokens.weight": table if coded else table.dequantized(),
        "lm_head.weight": table.dequantized() * 2,
        "norm.weight": np.ones(HIDDEN, np.float32),
    }
    shape = DecoderShape(
        "llama",
        HIDDEN,
        1,
        2,
        2,
        16,
        64,
        size,
        1e-5,
        "silu",
        (Rope(1e4),),
        (None,),
        0.25,
        1.0,
        False,
        False,
        False,
        128,
    )
    card = Card("A", "generate", "none", ("en",), "text", (), "MIT", "none", 1)
    ids = [old.token_to_id(t) for t in ("<bos>", "<eos>", "<unused4>")]
    words = Words(tokenizer, "", ids[0], tuple(ids[1:]))
    return TextModel("a", "a.gguf", shape, tensors.__getitem__, words, card, "0" * 64)


@pytest.mark.parametrize("coded", [True, False])
def test_rows_go_with_their_tokens(tokenizer: bytes, texts: list[str], coded: bool) -> None:
    model = checkpoint(tokenizer, coded)
    smaller, pruned = prune_model(model, texts, keep=450)
    n = len(pruned.kept)
    assert smaller.shape == replace(model.shape, vocabulary=n)
    assert n <= 450 < model.shape.vocabulary
    found, whole = smaller.read("embed_tokens.weight"), model.read("embed_tokens.weight")
    if coded:
        assert isinstance(found, Blockwise)
        found, whole = found.dequantized(), whole.dequantized()
    np.testing.assert_array_equal(found, whole[pruned.kept])
    np.testing.assert_array_equal(smaller.read("lm_head.weight"), model.read("lm_head.weight")[pruned.kept])
    assert smaller.read("norm.weight") is model.read("norm.weight")
    new = Tokenizer.from_buffer(smaller.words.tokenizer)
    assert smaller.words.first == new.token_to_id("<bos>")
    assert smaller.words.ends == (new.token_to_id("<eos>"), new.token_to_id("<unused4>"))


def test_a_tokenizer_with_more_tokens_than_rows_is_refused(tokenizer: bytes, texts: list[str]) -> None:
    model = checkpoint(tokenizer, False)
    with pytest.raises(ModelError, match="the embedding 300 rows"):
        prune_model(replace(model, shape=replace(model.shape, vocabulary=300)), texts)
