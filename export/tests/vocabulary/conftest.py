"""Two small tokenizers, trained here: bytes as characters (as SmolLM2's), and a mark for spaces with bytes to fall
back on (as Gemma's)."""

from __future__ import annotations

import json

import pytest
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from edgekit_export.data.topics import write_sentence

TEXTS = [write_sentence(1, i)[0] for i in range(600)]
OTHER_TEXTS = ["Größenwahn und Überfluss, naïveté à la carte.", "Москва и Токио", "今日は東京です"] * 3
SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>", *(f"<unused{i}>" for i in range(5))]


def byte_level() -> bytes:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=SPECIAL,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator([*TEXTS, *OTHER_TEXTS], trainer)
    return _finished(made)


def byte_fallback() -> bytes:
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    trainer = trainers.BpeTrainer(
        vocab_size=1000,
        special_tokens=[*SPECIAL, *(f"<0x{n:02X}>" for n in range(256))],
        show_progress=False,
    )
    split = pre_tokenizers.Split(pattern="▁", behavior="merged_with_next")
    made.pre_tokenizer = (
        split  # for training alone: Gemma merges over whole texts, and none of its tokens has two words
    )
    made.train_from_iterator([*TEXTS, *OTHER_TEXTS], trainer)
    made.pre_tokenizer = None
    written = json.loads(_finished(made))
    written["added_tokens"] = [t for t in written["added_tokens"] if not t["content"].startswith("<0x")]
    return json.dumps(written).encode()


def _finished(made: Tokenizer) -> bytes:
    bos = made.token_to_id("<bos>")
    made.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", bos)])
    made.add_tokens([AddedToken("\n\n", normalized=False)])
    made.enable_padding(pad_id=made.token_to_id("<pad>"), pad_token="<pad>")
    return made.to_str().encode()


@pytest.fixture(scope="session", params=["byte_level", "byte_fallback"])
def tokenizer(request: pytest.FixtureRequest) -> bytes:
    return byte_level() if request.param == "byte_level" else byte_fallback()


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return TEXTS
