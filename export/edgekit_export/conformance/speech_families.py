"""Speech models of the true architectures at a small size, with random weights: for parity and speed alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_LETTERS = " |ETAONIHSRDLUMWCFGYPBVKXJQZ'"
_WORDS = ("the", "a", "sun", "rises", "over", "sea", "and", "it", "is", "warm", "ing", "er")
_LANGUAGES = ("<|en|>", "<|de|>", "<|es|>")


def wav2vec2_group(folder: Path) -> None:
    """wav2vec2-base's kind: group norm in the first convolution, norm behind each block."""
    _wav2vec2(folder, "group")


def wav2vec2_layer(folder: Path) -> None:
    """wav2vec2-large-lv60's and XLS-R's kind: layer norm in every convolution, norm before each block."""
    _wav2vec2(folder, "layer")


def _wav2vec2(folder: Path, norm: str) -> None:
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    tokens = ["<pad>", "<s>", "</s>", "<unk>", *_LETTERS[1:]]
    torch.manual_seed(5)
    config = Wav2Vec2Config(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        conv_dim=(32,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm=norm,
        do_stable_layer_norm=norm == "layer",
        conv_bias=norm == "layer",
        pad_token_id=0,
    )
    network = Wav2Vec2ForCTC(config)
    with torch.no_grad():
        network.lm_head.weight.mul_(20)  # random scores are all alike: larger ones make decisions
    network.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=norm == "layer").save_pretrained(folder)
    _write(folder / "vocab.json", {token: i for i, token in enumerate(tokens)})
    _write(folder / "tokenizer_config.json", {"word_delimiter_token": "|", "pad_token": "<pad>"})


def whisper(folder: Path) -> None:
    """Whisper of several languages, which tells the language by itself; a window is 2 s instead of 30."""
    import torch
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    special = ("<|endoftext|>", "<|startoftranscript|>", *_LANGUAGES, "<|translate|>", "<|transcribe|>")
    special = (*special, "<|notimestamps|>")
    first = _tokenizer(folder, special)
    ids = {token: first + i for i, token in enumerate(special)}
    torch.manual_seed(6)
    config = WhisperConfig(
        vocab_size=first + len(special),
        num_mel_bins=80,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_source_positions=100,
        max_target_positions=64,
        decoder_start_token_id=ids["<|startoftranscript|>"],
        eos_token_id=ids["<|endoftext|>"],
        bos_token_id=ids["<|endoftext|>"],
        pad_token_id=ids["<|endoftext|>"],
    )
    network = WhisperForConditionalGeneration(config)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim > 1 and name != "model.encoder.embed_positions.weight":
                weight.normal_(std=1.0 if "embed_positions" in name else 0.3)  # large, so that tokens vary
    network.save_pretrained(folder)
    WhisperFeatureExtractor(chunk_length=2).save_pretrained(folder)
    _write(
        folder / "generation_config.json",
        {
            "decoder_start_token_id": ids["<|startoftranscript|>"],
            "eos_token_id": ids["<|endoftext|>"],
            "pad_token_id": ids["<|endoftext|>"],
            "bos_token_id": ids["<|endoftext|>"],
            "is_multilingual": True,
            "lang_to_id": {token: ids[token] for token in _LANGUAGES},
            "task_to_id": {"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
            "no_timestamps_token_id": ids["<|notimestamps|>"],
            "suppress_tokens": [3, 5, *(v for k, v in ids.items() if k != "<|endoftext|>")],
            "begin_suppress_tokens": [7, ids["<|endoftext|>"]],
            "max_length": 64,
            "max_initial_timestamp_index": 50,
            "return_timestamps": False,
        },
    )


def _tokenizer(folder: Path, special: tuple[str, ...]) -> int:
    """Writes a byte-level ``tokenizer.json``; the first id of the special tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [f"Ġ{word}" for word in _WORDS]
    vocabulary = {token: i for i, token in enumerate([*letters, *words])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True) for token in special])
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    return len(vocabulary)


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")


FAMILIES: Mapping[str, Callable[[Path], None]] = {
    "wav2vec2 (group norm)": wav2vec2_group,
    "wav2vec2 (layer norm)": wav2vec2_layer,
    "Whisper": whisper,
}
"""Name → what writes a folder of that family."""
