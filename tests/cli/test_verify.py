from __future__ import annotations

import json

import pytest

from edgekit.bundle.codec import encode_manifest
from edgekit.bundle.reader import open_bundle
from edgekit.bundle.writer import write_bundle
from edgekit.cli import main, verify
from tests.bundle.samples import manifest, members, write_sample
from tests.bundle.test_codec import envelope


@pytest.fixture
def sample(tmp_path):
    return write_sample(tmp_path / "pets.edge")


def test_whole(sample, capsys):
    assert main(["verify", str(sample)]) == 0
    out, err = capsys.readouterr()
    size = sample.stat().st_size
    assert (
        out == f"pets: whole\n6 members, 33.2 kB ({size:,} bytes)\nid {open_bundle(sample).id}\nnot signed\n"
    )
    assert err == ""


def test_json(sample, capsys):
    assert main(["verify", str(sample), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema": 1,
        "bundle": str(sample),
        "name": "pets",
        "ok": True,
        "members": 6,
        "bytes": sample.stat().st_size,
        "id": open_bundle(sample).id,
        "signed": False,
        "signature": "not signed",
    }


def test_signed(tmp_path, capsys):
    path = tmp_path / "a.edge"
    written = write_bundle(path, manifest(), members())
    write_bundle(path, manifest(), members(), envelope(encode_manifest(written)))
    assert main(["verify", str(path)]) == 0
    out = capsys.readouterr().out
    assert "7 members" in out
    assert "signed, signature not checked" in out


def test_large_ones_show_progress(sample, capsys, monkeypatch):
    monkeypatch.setattr(verify, "_PROGRESS_BYTES", 1)
    assert main(["verify", str(sample)]) == 0
    assert "verifying pets.edge" in capsys.readouterr().err


@pytest.mark.parametrize("as_json", [False, True])
def test_a_flipped_bit(sample, capsys, as_json):
    data = bytearray(sample.read_bytes())
    data[data.index(b"cat\ndog")] ^= 4
    sample.write_bytes(data)
    assert main(["verify", str(sample), *(["--json"] if as_json else [])]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "member labels.txt: SHA-256" in err
    assert "Traceback" not in err
    if as_json:
        error = json.loads(out)["error"]
        assert error["kind"] == "bundle"
        assert error["remedy"]
    else:
        assert out == ""


@pytest.mark.parametrize("length", [0, 100, 20_000, -1])
def test_truncated(sample, capsys, length):
    sample.write_bytes(sample.read_bytes()[:length])
    assert main(["verify", str(sample)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
