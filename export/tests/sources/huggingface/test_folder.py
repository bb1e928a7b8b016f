import hashlib
import json

import pytest

from edgekit.errors import DataError, ModelError
from edgekit_export.sources.huggingface.folder import labels_member, labels_of, open_hf_folder
from edgekit_export.sources.resolve import resolve


def _folder(path, **config):
    (path / "config.json").write_text(json.dumps({"architectures": ["FooForBar"], **config}))
    return path


def test_what_a_folder_says(tmp_path):
    folder = open_hf_folder(_folder(tmp_path, hidden_size=3), "someone/some-model@0123abc")
    assert (folder.title, folder.architectures, folder.config["hidden_size"]) == (
        "some-model",
        ("FooForBar",),
        3,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "expected a JSON object, got list"),
        ("{}", "names no architecture"),
        ('{"architectures": "Foo"}', "expected a list of names"),
        ('{"architectures": [1]}', "expected a list of names"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_a_damaged_configuration(tmp_path, text, message):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        open_hf_folder(tmp_path, "x")


def test_an_architecture_that_nobody_builds(tmp_path):
    with pytest.raises(ModelError, match="no way to export the architecture FooForBar"):
        resolve(str(_folder(tmp_path)))


def test_weights(tmp_path):
    folder = open_hf_folder(_folder(tmp_path), "x")
    with pytest.raises(ModelError, match="found no weights"):
        folder.weights()
    (tmp_path / "pytorch_model.bin").write_bytes(b"cposix\nsystem\n")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin.*runs code.*save_pretrained"):
        folder.weights()
    (tmp_path / "model.safetensors").write_bytes(b"one")
    assert folder.weights() == (tmp_path / "model.safetensors",)
    assert folder.weights_sha256() == hashlib.sha256(b"one").hexdigest()


def test_weights_in_shards(tmp_path):
    folder = open_hf_folder(_folder(tmp_path), "x")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"b": "m-2.safetensors", "a": "m-1.safetensors"}}))
    (tmp_path / "m-1.safetensors").write_bytes(b"one")
    with pytest.raises(ModelError, match=r"m-2\.safetensors is missing"):
        folder.weights()
    (tmp_path / "m-2.safetensors").write_bytes(b"two")
    both = "".join(hashlib.sha256(part).hexdigest() for part in (b"one", b"two"))
    assert folder.weights_sha256() == hashlib.sha256(both.encode()).hexdigest()
    for name in ("../m.safetensors", "m.bin", "a/m.safetensors"):
        index.write_text(json.dumps({"weight_map": {"a": name}}))
        with pytest.raises(ModelError, match="expected names of"):
            folder.weights()


def test_labels(tmp_path):
    assert labels_of(open_hf_folder(_folder(tmp_path, id2label={"1": "b", "0": "a"}), "x")) == ("a", "b")
    assert labels_of(open_hf_folder(_folder(tmp_path), "x")) == ("LABEL_0", "LABEL_1")
    assert labels_of(open_hf_folder(_folder(tmp_path, num_labels=1), "x")) == ("LABEL_0",)


@pytest.mark.parametrize(
    "config",
    [
        {"id2label": {"1": "b"}},
        {"id2label": {"a": "b"}},
        {"id2label": {}},
        {"id2label": []},
        {"num_labels": 0},
    ],
)
def test_labels_that_make_no_sense(tmp_path, config):
    with pytest.raises(ModelError, match=r"id2label|num_labels"):
        labels_of(open_hf_folder(_folder(tmp_path, **config), "x"))


def test_labels_as_a_member():
    assert labels_member(("a", "b c")) == b"a\nb c\n"
    for bad in ("", "a\nb", "a\x07"):
        with pytest.raises(DataError, match="one line"):
            labels_member((bad,))
