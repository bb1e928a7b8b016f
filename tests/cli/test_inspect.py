from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from edgekit.bundle.codec import encode_manifest
from edgekit.bundle.reader import open_bundle
from edgekit.bundle.writer import write_bundle
from edgekit.cli import main
from tests.bundle.samples import drop, manifest, members, write_sample
from tests.bundle.test_codec import envelope


@pytest.fixture
def sample(tmp_path):
    return write_sample(tmp_path / "pets.edge")


def test_what_a_person_sees(sample, capsys):
    assert main(["inspect", str(sample)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "pets classify, 33.2 kB, golden inputs: 1, not signed"
    assert lines[1] == f"id {open_bundle(sample).id}"
    for line in (
        "for photos of pets",
        "cannot tell breeds apart",
        "see at night",
        "parameters 16",
        "int8 int8 static_wi8_ai8 onnx 211 top1 0.30 (95 %: -0.10 to 0.70), n 1,000",
        "calibration 64 samples, abababababababab…",
        "labels.txt 18 d7c202e455e495b3…",
        "golden vectors, 2 files 87",
    ):
        assert line in lines
    assert "languages" not in out  # empty parts are left out


def test_what_a_program_sees(sample, capsys):
    assert main(["inspect", str(sample), "--json"]) == 0
    out, err = capsys.readouterr()
    tree = json.loads(out)
    assert err == ""
    assert out.count("\n") == 1
    assert tree["schema"] == 1
    assert (tree["bytes"], tree["signed"], tree["id"]) == (
        sample.stat().st_size,
        False,
        open_bundle(sample).id,
    )
    assert tree["variants"][0]["drop"]["interval"] == [-0.1, 0.7]
    assert tree["card"]["cannot"] == ["tell breeds apart", "see at night"]
    assert [f["path"] for f in tree["files"]] == [f.path for f in open_bundle(sample).manifest.files]


def test_parts_that_are_absent(tmp_path, capsys):
    whole = manifest()
    bare = replace(
        whole,
        evidence=(),
        variants=(replace(whole.variants[0], drop=None),),
        card=replace(whole.card, languages=("en", "de"), trained_on="nothing", notes="a\nb"),
        lock=replace(whole.lock, calibration_sha256=None, calibration_n=0, weights={}, tools={}),
    )
    write_bundle(tmp_path / "a.edge", bare, members())
    assert main(["inspect", str(tmp_path / "a.edge")]) == 0
    out = capsys.readouterr().out
    assert "Evidence" not in out
    assert "golden vectors" in out
    assert "not measured" in out
    assert "en, de" in out
    assert "calibration  none" in out


def test_no_golden_vectors(tmp_path, capsys):
    content = {path: data for path, data in members().items() if not path.startswith("golden/")}
    write_bundle(tmp_path / "a.edge", manifest(golden=()), content)
    assert main(["inspect", str(tmp_path / "a.edge")]) == 0
    out = capsys.readouterr().out
    assert "golden inputs: 0" in out
    assert "golden vectors" not in out


def test_evidence_without_sqnr(tmp_path, capsys):
    whole = manifest()
    one = replace(whole.evidence[0], sqnr_db=None, verdict="INCONCLUSIVE", drop=drop(metric="cer"))
    write_bundle(tmp_path / "a.edge", replace(whole, evidence=(one,)), members())
    assert main(["inspect", str(tmp_path / "a.edge")]) == 0
    assert "INCONCLUSIVE" in capsys.readouterr().out


def test_foreign_text_is_not_markup(tmp_path, capsys):
    card = replace(manifest().card, title="[bold red]free[/bold red] [link=http://x]y[/link]")
    write_bundle(tmp_path / "a.edge", manifest(card=card), members())
    assert main(["inspect", str(tmp_path / "a.edge")]) == 0
    assert "[bold red]free[/bold red]" in capsys.readouterr().out


def test_signed(tmp_path, capsys):
    path = tmp_path / "a.edge"
    written = write_bundle(path, manifest(), members())
    write_bundle(path, manifest(), members(), envelope(encode_manifest(written)))
    assert main(["inspect", str(path)]) == 0
    assert ", signed\n" in capsys.readouterr().out


def test_no_such_bundle(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "no.edge")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert (
        err == f"edgekit: {tmp_path / 'no.edge'}: No such file or directory (name a bundle, a .edge file)\n"
    )
