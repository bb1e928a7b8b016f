"""Fetching by name, against a mirror of the hub's interface on this machine."""

import hashlib
import json
import sys

import pytest

from edgekit.errors import EnvironmentLacks, ModelError, UsageError
from edgekit_export.sources.huggingface.hub import fetch_hub, hub_id
from edgekit_export.sources.resolve import resolve
from export.tests.sources.huggingface.mirror import COMMIT, Mirror

pytest.importorskip("huggingface_hub")

NAME = "someone/some-model"
WEIGHTS = bytes(range(256)) * 2000
FILES = {
    "config.json": json.dumps({"architectures": ["FooForBar"]}).encode(),
    "README.md": b"---\nlicense: mit\n---\n",
    "chat_template.jinja": b"{{ messages }}",
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"pickled",
    "onnx/model.onnx": b"graph",
    "1_Pooling/config.json": b"{}",
    "picture.png": b"large",
}


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 4096)
    with Mirror() as made:
        monkeypatch.setenv("HF_ENDPOINT", made.endpoint)
        made.files[NAME] = dict(FILES)
        yield made


def test_only_what_is_needed_is_fetched(mirror):
    folder, origin = fetch_hub(NAME)
    assert origin == f"{NAME}@{COMMIT}"
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    texts = {"config.json", "README.md", "chat_template.jinja", "1_Pooling/config.json"}
    assert found == {*texts, "model.safetensors"}
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("revision", ["v1", COMMIT])
def test_a_revision(mirror, revision):
    assert fetch_hub(NAME, revision)[1] == f"{NAME}@{COMMIT}"


def test_the_cache_serves_where_the_hub_cannot_be_reached(mirror):
    folder, _ = fetch_hub(NAME)
    before = len(mirror.asked)
    assert fetch_hub(NAME)[0] == folder
    assert not any(method == "GET" and "resolve" in path for method, path, _ in mirror.asked[before:])
    mirror.stop()
    assert fetch_hub(NAME) == (folder, f"{NAME}@{COMMIT}")


def test_without_a_network(mirror):
    mirror.stop()
    with pytest.raises(EnvironmentLacks, match="cannot be reached, and it is not whole in the cache"):
        fetch_hub(NAME)


def test_a_download_that_breaks_off_goes_on(mirror):
    mirror.cuts["model.safetensors"] = 1
    folder, _ = fetch_hub(NAME)
    assert (
        hashlib.sha256((folder / "model.safetensors").read_bytes()).digest()
        == hashlib.sha256(WEIGHTS).digest()
    )
    spans = [
        span for method, path, span in mirror.asked if method == "GET" and path.endswith("model.safetensors")
    ]
    assert spans[0] is None and spans[1].startswith("bytes=") and len(spans) == 2


def test_one_that_never_ends_leaves_no_half_model(mirror, monkeypatch, tmp_path):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    mirror.cuts["model.safetensors"], mirror.kept = 1000, 0.0
    with pytest.raises(EnvironmentLacks, match="could not be fetched|not whole in the cache"):
        fetch_hub(NAME)
    assert list((tmp_path / "hub").rglob("model.safetensors")) == []
    mirror.cuts.clear()
    assert (fetch_hub(NAME)[0] / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("status", "code", "error", "message"),
    [
        (401, "GatedRepo", EnvironmentLacks, "terms to be accepted"),
        (403, "GatedRepo", EnvironmentLacks, "hf auth login"),
        (404, "RepoNotFound", ModelError, "no such model, or it is private"),
        (401, "RepoNotFound", ModelError, "no such model, or it is private"),
        (500, "Oops", EnvironmentLacks, "cannot be reached|could not be fetched"),
    ],
)
def test_what_the_hub_refuses(mirror, monkeypatch, status, code, error, message):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    mirror.refused[NAME] = status, code
    with pytest.raises(error, match=message):
        fetch_hub(NAME)


def test_no_such_revision(mirror):
    with pytest.raises(ModelError, match="no such revision"):
        fetch_hub(NAME, "v9")


def test_weights_that_are_not_loaded(mirror):
    for path in ("model.safetensors", "onnx/model.onnx"):
        del mirror.files[NAME][path]
    with pytest.raises(ModelError, match="no weights as safetensors or ONNX"):
        fetch_hub(NAME)


def test_onnx_where_there_are_no_safetensors(mirror):
    del mirror.files[NAME]["model.safetensors"]
    folder, _ = fetch_hub(NAME)
    assert (folder / "onnx" / "model.onnx").read_bytes() == b"graph"


def test_a_name_that_cannot_be_one(mirror):
    with pytest.raises(UsageError, match="cannot be a model's name"):
        fetch_hub("some--one/..x")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a/b", ("a/b", None)),
        ("a/b@v1.0", ("a/b", "v1.0")),
        ("google/vit-base@refs/pr/3", ("google/vit-base", "refs/pr/3")),
        ("a", None),
        ("a/b/c", None),
        ("./a", None),
        ("a/", None),
        ("photos/b", None),
    ],
)
def test_what_a_name_is(monkeypatch, tmp_path, source, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert hub_id(source) == expected


def test_as_a_source(mirror):
    with pytest.raises(ModelError, match=f"{NAME}@{COMMIT}: no way to export the architecture FooForBar"):
        resolve(f"{NAME}@v1")


def test_without_the_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(EnvironmentLacks, match="pip install"):
        fetch_hub(NAME)
