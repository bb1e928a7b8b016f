"""What folders of text models may say, and how those that do not fit are refused."""

import json

import numpy as np
import pytest

pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit.bundle.manifest import TextInput
from edgekit.errors import ModelError, UsageError
from edgekit.processing.tokens import TextEncoder
from edgekit_export.conformance.text_families import FAMILIES, write_bert, write_modules, write_sentence_bert
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface.folder import open_hf_folder
from edgekit_export.sources.huggingface.tokenizer import (
    MEMBER,
    load_tokenizer,
    strange_texts,
    tokenizer_member,
)
from edgekit_export.sources.resolve import resolve


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    write_bert(folder)
    return folder


@pytest.fixture
def copied(classifier, tmp_path):
    def copy(**config):
        for path in classifier.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        changed = json.loads((tmp_path / "config.json").read_text()) | config
        (tmp_path / "config.json").write_text(json.dumps(changed))
        return tmp_path

    return copy


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"problem_type": "regression"}, "gives a number and no classes"),
        ({"id2label": {"0": "score"}}, "gives a number and no classes"),
        ({"problem_type": "ranking"}, "problem_type: expected one of"),
        ({"id2label": {"0": "a", "1": "b"}}, "classifier"),
    ],
)
def test_classifiers_that_are_refused(copied, config, message):
    with pytest.raises(ModelError, match=message):
        resolve(str(copied(**config)))


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        (BareInput(normalize="imagenet"), "--normalize"),
        (BareInput(task="detect"), "--task detect"),
        (BareInput(activation="sigmoid"), "--activation"),
    ],
)
def test_options_against_the_folder(classifier, asked, option):
    with pytest.raises(UsageError, match=f"{option}: .*leave it out"):
        resolve(str(classifier), asked)


def test_a_bare_transformer_is_asked_about(copied):
    with pytest.raises(UsageError, match="a vector for each token, and nothing here says how"):
        resolve(str(copied(architectures=["BertModel"])))


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sentence")
    write_sentence_bert(folder)
    return folder


def test_pooling_by_the_first_token(sentences):
    write_modules(sentences, "cls", normalize=False, max_tokens=20)
    source = resolve(str(sentences))
    graph = source.graphs["model"]
    assert graph.spec.input.max_tokens == 20
    assert not graph.spec.head.normalize
    ids = np.asarray([[2, 30, 31, 3]])
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    assert graph.framework(feed)[0].shape == (1, 64)


def test_padding_does_not_count_in_the_mean(sentences):
    write_modules(sentences, "mean", normalize=True)
    graph = resolve(str(sentences)).graphs["model"]
    ids = np.asarray([[2, 30, 31, 3, 0, 0]])
    feed = {
        "input_ids": ids,
        "attention_mask": (ids > 0).astype(np.int64),
        "token_type_ids": np.zeros_like(ids),
    }
    short = {name: value[:, :4] for name, value in feed.items()}
    assert np.abs(graph.framework(feed)[0] - graph.framework(short)[0]).max() < 1e-5


@pytest.mark.parametrize("pooling", ["max", "lasttoken", "none"])
def test_other_poolings_are_refused(sentences, pooling):
    write_modules(sentences, pooling, normalize=True)
    with pytest.raises(ModelError, match="expected pooling by mean or cls"):
        resolve(str(sentences))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("modules.json", "{", "expected a list of type and path"),
        ("modules.json", '[{"type": "a.Transformer", "path": ""}]', "expected Transformer, Pooling"),
        ("sentence_bert_config.json", '{"do_lower_case": true}', "do_lower_case"),
        ("1_Pooling/config.json", "[]", "expected a JSON object"),
    ],
)
def test_broken_modules_are_refused(sentences, name, text, message):
    write_modules(sentences, "mean", normalize=True)
    (sentences / name).write_text(text)
    with pytest.raises(ModelError, match=message):
        resolve(str(sentences))


@pytest.mark.parametrize("name", ["BERT", "RoBERTa", "DeBERTa-v2"])
@pytest.mark.parametrize("max_tokens", [2, 9, 64])
def test_ids_are_those_of_transformers(name, max_tokens, tmp_path):
    FAMILIES[name](tmp_path)
    reference = load_tokenizer(open_hf_folder(tmp_path, "here"))
    spec = TextInput(tokenizer=MEMBER, max_tokens=max_tokens)
    data = tokenizer_member(open_hf_folder(tmp_path, "here"), reference, spec)
    assert data == (tmp_path / "tokenizer.json").read_bytes()
    (tmp_path / "assets").mkdir()
    (tmp_path / MEMBER).write_bytes(data)
    encode, texts = TextEncoder(spec, tmp_path), list(strange_texts())
    assert len(texts) > 290
    for text in texts:
        wanted = reference(text, truncation=True, max_length=max_tokens)["input_ids"]
        got = encode(text)["input_ids"]
        assert got.dtype == np.int64
        assert got.tolist() == [wanted]
        assert len(wanted) <= max_tokens


def test_a_vocabulary_alone_becomes_a_tokenizer(classifier, tmp_path):
    words = json.loads((classifier / "tokenizer.json").read_text())["model"]["vocab"]
    (tmp_path / "vocab.txt").write_text("".join(f"{w}\n" for w in sorted(words, key=words.__getitem__)))
    (tmp_path / "config.json").write_bytes((classifier / "config.json").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "BertTokenizer", "do_lower_case": true}'
    )
    folder = open_hf_folder(tmp_path, "here")
    reference = load_tokenizer(folder)
    data = tokenizer_member(folder, reference, TextInput(tokenizer=MEMBER, max_tokens=32))
    assert json.loads(data)["model"]["type"] == "WordPiece"


def test_a_tokenizer_that_is_not_transformers_is_replaced(classifier, tmp_path):
    """Where tokenizer_config.json adds a token, the file alone does not know it."""
    for name in ("tokenizer.json", "config.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((classifier / name).read_bytes())
    folder = open_hf_folder(tmp_path, "here")
    reference = load_tokenizer(folder)
    reference.add_tokens(["@user"])
    data = tokenizer_member(folder, reference, TextInput(tokenizer=MEMBER, max_tokens=32))
    assert "@user" in {t["content"] for t in json.loads(data)["added_tokens"]}


def test_no_tokenizer(classifier, tmp_path):
    (tmp_path / "config.json").write_bytes((classifier / "config.json").read_bytes())
    with pytest.raises(ModelError, match="has no tokenizer"):
        load_tokenizer(open_hf_folder(tmp_path, "here"))


def test_a_tokenizer_of_another_model(copied):
    with pytest.raises(ModelError, match="gives id .* and config.json has a vocab_size of 20"):
        folder = open_hf_folder(copied(vocab_size=20), "here")
        tokenizer_member(folder, load_tokenizer(folder), TextInput(tokenizer=MEMBER, max_tokens=32))
