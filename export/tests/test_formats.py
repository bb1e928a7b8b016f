"""``edgekit export --format``: one network, both formats, one bundle."""

import json
import sys

import cv2
import numpy as np
import pytest

from edgekit import open_bundle
from edgekit.cli import main
from edgekit.report.accuracy import read_report

NETWORK = """
import torch
from torch import nn

def build():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 16, 3, 1, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4), nn.Softmax(-1),
    )
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A network of four classes that ends in a softmax, and two folders of pictures."""
    for name, seed in (("calib", 1), ("eval", 2)):
        (tmp_path / name).mkdir()
        rng = np.random.default_rng(seed)
        for i in range(24):
            coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
            picture = cv2.resize(coarse, (40, 30), interpolation=cv2.INTER_LINEAR_EXACT)
            cv2.imwrite(str(tmp_path / name / f"{i}.png"), picture)
    (tmp_path / "own_nets.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("own_nets", None)


def arguments(folder, *more):
    data = ["--calib", str(folder / "calib"), "--eval", str(folder / "eval")]
    shape = ["--input-size", "16", "--normalize", "0to1"]
    return ["export", "own_nets:build", "-o", str(folder / "n.edge"), *shape, *data, *more]


def test_both_formats_of_one_network_in_one_bundle(folder, capsys):
    pytest.importorskip("litert_torch", reason="make export-env installs the TFLite converter")
    report = folder / "report"
    assert main(arguments(folder, "--format", "both", "--report", str(report), "--json")) == 0
    body = json.loads(capsys.readouterr().out)
    names = ["int8", "int8-tflite", "fp16", "fp16-tflite"]
    assert [variant["name"] for variant in body["variants"]] == names
    assert [variant["format"] for variant in body["variants"]] == ["onnx", "tflite"] * 2
    assert [variant["recipe"] for variant in body["variants"]] == [
        "static_wi8_ai8",
        "static_wi8_ai8",
        "weight_only_wfp16",
        "weight_only_wfp16",
    ]
    for variant in body["variants"]:
        assert variant["parity"]["model"]["export"]["all"]["max_abs"] < 1e-4
        assert variant["parity"]["model"]["reduction"]["all"]["sqnr_db"] > 25
        assert variant["drop"]["sqnr_db"] > 25
    matrix = read_report(report / "report.json").matrix
    assert matrix.variants == ("fp32", *names)
    assert matrix.n == 24
    manifest = open_bundle(folder / "n.edge").manifest
    assert {"litert-torch", "ai-edge-quantizer"} <= set(manifest.lock.tools)
    assert manifest.lock.recipe == "int8,fp16 as onnx,tflite"
    assert {variant.models["model"].head.activation for variant in manifest.variants} == {"softmax"}
    assert {golden.variant for golden in manifest.golden} == set(names)
    for path in ("n.edge", "n.reference.edge"):
        assert main(["verify", str(folder / path)]) == 0
        assert main(["selftest", str(folder / path)]) == 0
    capsys.readouterr()
    data = ["--calib", str(folder / "calib"), "--eval", str(folder / "eval")]
    locked = ["-o", str(folder / "again.edge"), "--locked", str(folder / "n.edge"), *data]
    assert main(["export", "own_nets:build", *locked, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["reproduced"], [v["name"] for v in body["variants"]]) == (True, names)


def test_tflite_alone_with_its_report(folder, capsys):
    pytest.importorskip("litert_torch", reason="make export-env installs the TFLite converter")
    argv = arguments(
        folder, "--format", "tflite", "--recipe", "int8,fp32", "--report", str(folder / "report")
    )
    assert main([*argv, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert [variant["name"] for variant in body["variants"]] == ["int8-tflite", "fp32-tflite"]
    assert body["variants"][1]["drop"]["drop"] == 0
    report = read_report(folder / "report" / "report.json")
    assert report.graphs["model"].layers == ()
    assert report.graphs["model"].stages.reduction["none"].sqnr_db > 25


def test_an_onnx_file_cannot_become_tflite(folder, small_classifier, capsys):
    path = folder / "small.onnx"
    path.write_bytes(small_classifier().SerializeToString())
    argv = ["export", str(path), "-o", str(folder / "s.edge"), "--normalize", "0to1", "--recipe", "fp16"]
    assert main([*argv, "--format", "tflite"]) == 2
    error = capsys.readouterr().err
    assert "needs a torch network as source, graph 'model' comes as ONNX" in error
    assert not list(folder.glob("*.edge"))


def test_without_the_converter_the_environment_is_named(folder, monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "litert_torch", None)
    assert main(arguments(folder, "--format", "tflite")) == 3
    assert "make export-env" in capsys.readouterr().err
