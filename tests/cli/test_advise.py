import json
import re
from pathlib import Path

import pytest

from edgekit.cli import main

DOC = Path(__file__).resolve().parents[2] / "docs" / "advise.md"
SIGNATURES = "find signatures on scanned invoices, Pi 5, 100 ms, 20 MB"


def advised(capsys, *arguments):
    assert main(["advise", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    assert main(["advise", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_json(capsys):
    body = advised(capsys, SIGNATURES)
    assert list(body) == ["schema", "need", "understood", "top", "fitting", "nearest", "warnings"]
    assert (body["need"], body["top"]) == (SIGNATURES, "yolov8s-signature")
    (first,) = body["fitting"]
    assert list(first) == [
        "name", "badge", "precision", "bytes", "latency_ms", "latency_kind", "latency_of", "energy_wh",
        "reasons", "mismatches", "cannot", "no_recipe",
    ]  # fmt: skip
    assert (first["precision"], first["bytes"]) == ("int8", 11_135_987)
    assert first["latency_ms"] == pytest.approx(14.3e9 / 122e9 * 1000)
    assert first["energy_wh"] == pytest.approx(8.0 * first["latency_ms"] / 3_600_000)
    assert (first["latency_kind"], first["latency_of"]) == ("estimated", "an input")
    assert [one["field"] for one in first["mismatches"]] == ["latency"]


def test_options_win_over_the_sentence(capsys):
    assert advised(capsys, SIGNATURES, "--max-latency", "1s")["warnings"] == []
    assert advised(capsys, SIGNATURES, "--max-size", "5MB")["top"] == "none"
    assert advised(capsys, SIGNATURES, "--device", "pi4")["top"] == "none"
    assert advised(capsys, SIGNATURES, "--licence", "closed-source")["top"] == "none"
    assert advised(capsys, "transcribe English calls", "--language", "ru")["top"] == "wav2vec2-xlsr-russian"
    assert advised(capsys, "faces", "--task", "detect")["understood"] == "object detection of face"
    assert advised(capsys, "find faces", "--offline")["understood"].endswith("; offline")


def test_prefer(capsys):
    need = "general image classification, Pi 4, 20 MB"
    assert advised(capsys, need, "--prefer", "eco")["top"] == "mobilenetv3-small"
    assert advised(capsys, need, "--prefer", "accuracy")["top"] == "mobilenetv3-large"


def test_a_table_with_what_the_first_cannot_do(capsys):
    assert main(["advise", SIGNATURES]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0].startswith("understood: object detection of signature; in scanned invoice; on pi5")
    assert lines[2].split() == ["model", "badge", "precision", "size", "latency", "why"]
    assert lines[3].split()[:9] == [
        "yolov8s-signature", "signatures", "only", "int8", "11.14", "MB", "117", "ms", "estimated",
    ]  # fmt: skip
    assert lines[3].endswith("finds signatures; but perhaps too slow")
    assert "yolov8s-signature cannot" in lines
    assert "  - read what is written" in lines
    assert any(one.startswith("no recipe here makes a bundle of yolov8s-signature: Gated") for one in lines)
    assert lines[-1].startswith("warning: yolov8s-signature: latency: estimated 117 ms")


def test_none_fits(capsys):
    assert main(["advise", "SmolVLM in 50 MB"]) == 0
    out = capsys.readouterr().out
    assert "none fits; nearest:" in out and "leave 1.56 bits a weight" in out
    assert out.count("too large") == 2
    assert main(["advise", "segment people"]) == 0
    assert "none fits, and none is near" in capsys.readouterr().out


def test_refusals(capsys):
    assert "no task found in 'well, well' (say what" in refused(capsys, "well, well")
    assert "no task found in 'my cat, 5 MB'; understood: in cat; at most 5,000,000 bytes (say" in refused(
        capsys, "my cat, 5 MB"
    )
    assert "--task: got 'fly'" in refused(capsys, "find faces", "--task", "fly")
    assert "--language: got 'Klingon'" in refused(capsys, "transcribe", "--language", "Klingon")
    assert "got '0MB'" in refused(capsys, "find faces", "--max-size", "0MB")
    assert "toaster" in refused(capsys, "find faces", "--device", "toaster")


def test_the_examples_of_the_page_are_what_it_prints(capsys):
    examples = re.findall(
        r'```\n\$ edgekit advise "([^\n]*)"\n(.*?)\n```', DOC.read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(examples) == 2
    for need, printed in examples:
        assert main(["advise", need]) == 0
        assert [one.rstrip() for one in capsys.readouterr().out.splitlines()] == printed.splitlines()


def test_what_embeds_no_texts_is_refused(capsys, tiny_bundle):
    path = str(tiny_bundle())
    assert "expected a bundle that embeds texts, got task 'classify'" in refused(
        capsys, SIGNATURES, "--embed", path
    )
