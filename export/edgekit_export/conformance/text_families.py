"""Text models of the true architecture at a small size, with random weights, as folders of the hub have them.

Each writes what ``save_pretrained`` of its class writes, and a small tokenizer of the family's own kind, trained
here on sentences of ours. Weights are drawn wider than for training, so that scores differ from text to text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgekit_export.data.sentences import SENTENCES

SIZE = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 256,
}
POSITIONS = 64
VOCABULARY = 512
LABELS = ("negative", "neutral", "positive")
_WIDTH = 0.2
"""Standard deviation of the weights; 0.02, as training begins, would make every score alike."""


def write_bert(folder: Path) -> None:
    """As FinBERT is: classes of one segment of lower-case word pieces."""
    _write(
        folder,
        "BertForSequenceClassification",
        "BertConfig",
        {**SIZE, "max_position_embeddings": POSITIONS},
        _bert,
    )


def write_distilbert(folder: Path) -> None:
    """As DistilBERT for sentiment is: no segments."""
    config = {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 256, "max_position_embeddings": POSITIONS}
    _write(folder, "DistilBertForSequenceClassification", "DistilBertConfig", config, _bert, types=False)


def write_roberta(folder: Path) -> None:
    """As Twitter-RoBERTa is: byte pairs, positions that begin behind the padding's."""
    config = {**SIZE, "max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1}
    _write(folder, "RobertaForSequenceClassification", "RobertaConfig", config, _byte_pairs, types=False)


def write_xlm_roberta(folder: Path) -> None:
    """As XLM-RoBERTa is, of many languages: unigrams of SentencePiece's kind."""
    config = {**SIZE, "max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1}
    _write(folder, "XLMRobertaForSequenceClassification", "XLMRobertaConfig", config, _unigrams, types=False)


def write_deberta_v2(folder: Path) -> None:
    """As DeBERTa-v3 is: relative positions shared with content, in logarithmic buckets."""
    config = {
        **SIZE,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_buckets": 16,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "pooler_hidden_size": 64,
    }
    _write(folder, "DebertaV2ForSequenceClassification", "DebertaV2Config", config, _unigrams)


def write_many_labels(folder: Path) -> None:
    """A BERT of which several labels may hold at once."""
    config = {**SIZE, "max_position_embeddings": POSITIONS, "problem_type": "multi_label_classification"}
    _write(folder, "BertForSequenceClassification", "BertConfig", config, _bert)


def write_sentence_bert(folder: Path) -> None:
    """As MiniLM is: a bare BERT, the mean of its tokens, brought to length 1."""
    _write(folder, "BertModel", "BertConfig", {**SIZE, "max_position_embeddings": POSITIONS}, _bert)
    write_modules(folder, "mean", normalize=True)


def write_modules(folder: Path, pooling: str, *, normalize: bool, max_tokens: int = 48) -> None:
    """What sentence-transformers writes beside a model.

    Args:
        folder: of the model.
        pooling: ``mean``, ``cls`` or another of its modes.
        normalize: whether vectors are brought to length 1.
        max_tokens: longer texts are cut to so many.
    """
    kinds = ["Transformer", "Pooling", *["Normalize"] * normalize]
    paths = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [
        {"idx": i, "name": str(i), "path": paths[kind], "type": f"sentence_transformers.models.{kind}"}
        for i, kind in enumerate(kinds)
    ]
    modes = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "lasttoken": "lasttoken"}
    chosen = {f"pooling_mode_{key}": mode == pooling for mode, key in modes.items()}
    (folder / "1_Pooling").mkdir(exist_ok=True)
    _write_json(folder / "modules.json", modules)
    _write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 64, **chosen})
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False})


FAMILIES: Mapping[str, Callable[[Path], None]] = {
    "BERT": write_bert,
    "DistilBERT": write_distilbert,
    "RoBERTa": write_roberta,
    "XLM-RoBERTa": write_xlm_roberta,
    "DeBERTa-v2": write_deberta_v2,
    "BERT, several labels": write_many_labels,
    "Sentence-BERT": write_sentence_bert,
}
"""Name → what writes a folder; all classify, but those that begin with ``Sentence``."""


def _write(
    folder: Path,
    network: str,
    config: str,
    values: Mapping[str, Any],
    tokenizer: Callable[[Path], Mapping[str, int]],
    *,
    types: bool = True,
) -> None:
    import torch
    import transformers

    special = tokenizer(folder)
    labels = dict(enumerate(LABELS))
    made = getattr(transformers, config)(
        vocab_size=VOCABULARY,
        id2label=labels,
        label2id={label: i for i, label in labels.items()},
        **special,
        **values,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = getattr(transformers, network)(made).eval()
        for parameter in model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=_WIDTH)
    model.save_pretrained(folder)
    _tell_tokenizer(folder, types=types)


def _tell_tokenizer(folder: Path, *, types: bool) -> None:
    """``tokenizer_config.json``, by which transformers loads the tokenizer as it lies there."""
    told = json.loads((folder / "special_tokens_map.json").read_text())
    names = ["input_ids", *["token_type_ids"] * types, "attention_mask"]
    generic = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": POSITIONS,
        "model_input_names": names,
        **told,
    }
    _write_json(folder / "tokenizer_config.json", generic)


def _bert(folder: Path) -> Mapping[str, int]:
    """Word pieces of lower-case text."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokens = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY, special_tokens=[*tokens.values(), "[MASK]"], show_progress=False
    )
    return _finish(folder, made, trainer, {**tokens, "mask_token": "[MASK]"})


def _byte_pairs(folder: Path) -> Mapping[str, int]:
    """Byte-level pairs: every text has tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokens = {"cls_token": "<s>", "pad_token": "<pad>", "sep_token": "</s>", "unk_token": "<unk>"}
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(tokens.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    return _finish(folder, made, trainer, tokens)


def _unigrams(folder: Path) -> Mapping[str, int]:
    """Unigrams of text whose spaces are symbols, as SentencePiece makes them."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokens = {"cls_token": "<s>", "pad_token": "<pad>", "sep_token": "</s>", "unk_token": "<unk>"}
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=list(tokens.values()), unk_token="<unk>", show_progress=False
    )
    return _finish(folder, made, trainer, tokens)


def _finish(folder: Path, made: Any, trainer: Any, tokens: Mapping[str, str]) -> Mapping[str, int]:  # noqa: ANN401
    """Trains, adds the template of special tokens and writes; gives their ids as a config names them."""
    from tokenizers import processors

    made.train_from_iterator([*SENTENCES, *(text.lower() for text in SENTENCES)] * 4, trainer)
    cls, sep, pad = (made.token_to_id(tokens[name]) for name in ("cls_token", "sep_token", "pad_token"))
    made.post_processor = processors.TemplateProcessing(
        single=f"{tokens['cls_token']} $A {tokens['sep_token']}",
        pair=f"{tokens['cls_token']} $A {tokens['sep_token']} $B:1 {tokens['sep_token']}:1",
        special_tokens=[(tokens["cls_token"], cls), (tokens["sep_token"], sep)],
    )
    made.save(str(folder / "tokenizer.json"))
    _write_json(folder / "special_tokens_map.json", dict(tokens))
    return {"pad_token_id": pad, "bos_token_id": cls, "eos_token_id": sep}


def _write_json(path: Path, value: Any) -> None:  # noqa: ANN401
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
