"""Every abusive bundle is refused: before its content is used, with one line, and with little memory."""

from __future__ import annotations

import json
import re
import tracemalloc
from pathlib import Path

import pytest

from edgekit.bundle import protobuf
from edgekit.bundle.reader import open_bundle
from edgekit.cli import main
from edgekit.errors import BundleError
from tests.attacks.corpus import ATTACKS, MAX_FIELDS, plain

README = Path(__file__).with_name("README.md")
MAX_PEAK_BYTES = 40 * 2**20  # the caps on manifest and signature, a few times


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(protobuf, "MAX_FIELDS", MAX_FIELDS)
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Each attack is built once."""
    folder, files = tmp_path_factory.mktemp("attacks"), {}

    def build(name):
        if name not in files:
            files[name] = folder / f"{name}.edge"
            files[name].write_bytes(ATTACKS[name].make())
        return files[name]

    return build


def test_the_forge_makes_a_valid_bundle_when_nothing_is_wrong(tmp_path):
    path = tmp_path / "a.edge"
    path.write_bytes(plain())
    assert open_bundle(path).verify().members == 6
    assert (open_bundle(path).folder() / "labels.txt").exists()


@pytest.mark.parametrize("name", ATTACKS)
def test_refused(built, name, private_cache):
    attack, path = ATTACKS[name], built(name)
    tracemalloc.start()
    try:
        with pytest.raises(BundleError) as caught:
            bundle = open_bundle(path)
            assert attack.opens, "the structure alone should have given it away"
            bundle.verify()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert attack.reason in str(caught.value)
    assert str(caught.value).isprintable()
    assert peak < MAX_PEAK_BYTES
    if attack.opens:
        with pytest.raises(BundleError, match=re.escape(attack.reason)):
            open_bundle(path).folder()
    entries = private_cache / "bundles"
    assert not entries.exists() or [p.suffix for p in entries.iterdir()] == [".lock"]


@pytest.mark.parametrize(
    "name", ["path-traversal", "external-in-memory", "manifest-escape-codes", "too-many-files"]
)
def test_the_command_says_it_in_one_line(built, name, capsys):
    assert main(["verify", str(built(name)), "--json"]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert ATTACKS[name].reason in err
    assert json.loads(out)["error"]["kind"] == "bundle"


def test_the_readme_lists_exactly_the_corpus():
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == list(ATTACKS)
