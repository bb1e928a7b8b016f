"""TFLite bundles through every command, as any other bundle: run, selftest, bench, camera, validate."""

import json

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edgekit import load, open_bundle
from edgekit.bundle.writer import write_bundle
from edgekit.cli import main
from edgekit.engines import trial
from tests.tflite_bundles import COLOURS, mlperf_networks, tiny_networks, write_classifier
from tests.tflite_files import channel_means


@pytest.fixture
def tiny(tmp_path):
    """Names the strongest colour; int8, and full precision, which takes floats."""
    return write_classifier(tmp_path / "tiny.edge", tiny_networks(), COLOURS)


@pytest.fixture(scope="module")
def real(request, test_data, tmp_path_factory):
    """MLPerf Tiny's trained networks (person or no person; ResNet8 for CIFAR-10): the int8 bundle and its reference."""
    folder, made = test_data / "mlperf_tiny", tmp_path_factory.mktemp("mlperf")
    if not folder.is_dir():
        pytest.skip(f"test data absent: {folder}")
    networks, labels = mlperf_networks(request.param, folder)
    bundle = write_classifier(made / f"{request.param}.edge", {"int8": networks["int8"]}, labels)
    return bundle, write_classifier(made / "reference.edge", {"fp32": networks["fp32"]}, labels)


BOTH = pytest.mark.parametrize("real", ["person", "cifar10"], indirect=True)


def run(capsys, *args):
    code = main([*map(str, args), "--json"])
    said = capsys.readouterr()
    return code, [json.loads(line) for line in said.out.splitlines()], said.err


@pytest.fixture
def blue(tmp_path):
    path = tmp_path / "blue.png"
    cv2.imwrite(str(path), np.full((20, 30, 3), (200, 20, 10), np.uint8))
    return path


def test_a_head_of_another_output_is_one_line(tiny, blue, tmp_path, capsys):
    bundle = open_bundle(tiny)
    members = {file.path: bundle.read(file.path) for file in bundle.manifest.files}
    members["int8/model.tflite"] = channel_means("int8", names=("image", "results"))
    path = write_with(tmp_path / "other.edge", bundle.manifest, members)
    code, _, err = run(capsys, "run", path, blue)
    assert (code, err.count("\n")) == (2, 1)
    assert "int8/model.tflite has the outputs 'results', expected scores" in err


@pytest.mark.parametrize("variant", ["int8", "fp32"])
def test_run(tiny, blue, capsys, variant):
    code, (line,), err = run(capsys, "run", tiny, blue, "--variant", variant)
    assert (code, err, line["variant"]) == (0, "", variant)
    scores = {entry["label"]: entry["score"] for entry in line["result"]["top"]}
    assert scores == pytest.approx({"red": 1.0, "green": 2.0, "blue": 20.0}, abs=1e-5)


def test_selftest_is_exact_in_int8_and_within_tolerance_in_float(tiny, capsys):
    code, (report,), err = run(capsys, "selftest", tiny)
    assert (code, err) == (0, "")
    assert [(v["name"], v["ok"]) for v in report["variants"]] == [("int8", True), ("fp32", True)]
    assert report["variants"][0]["exact"]
    assert all(variant["engine"].startswith("litert ") for variant in report["variants"])


def test_bench_names_the_library(tiny, capsys):
    code, (report,), _ = run(capsys, "bench", tiny, "--runs", "3")
    assert (code, report["n"]) == (0, 3)
    assert report["engine"].endswith((" (ai-edge-litert)", " (tflite-runtime)"))
    assert {"ai-edge-litert", "tflite-runtime"} & set(report["machine"]["versions"])


def test_camera(tiny, capsys):
    source = "synthetic:?fps=200&seconds=1&size=64x48"
    code, (summary,), _ = run(capsys, "camera", tiny, "--source", source, "--unpaced", "--frames", "3")
    assert (code, summary["frames"]["processed"]) == (0, 3)


def test_inspect_names_the_format(tiny, capsys):
    code, (report,), _ = run(capsys, "inspect", tiny)
    assert code == 0
    assert [m["format"] for v in report["variants"] for m in v["models"].values()] == ["tflite", "tflite"]


def test_a_bundle_is_tried_once_a_variant(tiny, blue, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "cache"))
    tried = []
    really = trial.try_model
    monkeypatch.setattr(
        trial, "try_model", lambda path, options: tried.append(path.name) or really(path, options)
    )
    for _ in range(2):
        assert run(capsys, "run", tiny, blue)[0] == 0
    assert tried == ["model.tflite"]


def test_a_bundle_that_ends_the_interpreter_is_one_line(test_data, blue, tmp_path, capsys, tiny):
    """Its structure is whole and its hashes fit, as in a bundle that somebody else made."""
    breaker = (test_data / "breakers" / "keyword_scrambled_8bit.tflite").read_bytes()
    bundle = open_bundle(tiny)
    members = {file.path: bundle.read(file.path) for file in bundle.manifest.files}
    members["int8/model.tflite"] = breaker
    path = write_with(tmp_path / "bad.edge", bundle.manifest, members)
    for command in (("run", path, blue), ("selftest", path), ("bench", path)):
        code, (error,), err = run(capsys, *command)
        assert (code, error["error"]["kind"]) == (2, "model")
        assert [line.startswith("edgekit: model.tflite: ends the") for line in err.splitlines()][-1]


def write_with(path, manifest, members):
    variants = tuple(replace(v, bytes=len(members[f"{v.name}/model.tflite"])) for v in manifest.variants)
    write_bundle(path, replace(manifest, variants=variants, files=()), members)
    return path


@BOTH
def test_real_networks_pass_their_selftest(real, capsys):
    """Recorded with one thread; more change nothing in int8."""
    for path, options in ((real[0], ()), (real[0], ("--threads", "1")), (real[1], ())):
        code, (report,), _ = run(capsys, "selftest", path, *options)
        assert (code, report["variants"][0]["exact"]) == (
            0,
            path is real[0] or report["variants"][0]["exact"],
        )


@BOTH
def test_int8_against_full_precision_on_photos(real, test_data, capsys):
    """What the pair of files gives on 79 photos of COCO, two classes or ten that they were not trained on."""
    args = ("validate", real[0], "--against", real[1], "--data", test_data / "coco" / "val2017")
    code, (report,), _ = run(capsys, *args)
    assert (code, report["n"], report["metric"]) == (0, 79, "disagreement")
    assert report["agreement"] >= 85
    assert report["sqnr_db"] > 15


@pytest.mark.parametrize("real", ["person"], indirect=True)
def test_the_person_detector_sees_persons(real, test_data):
    """By COCO's own labels, a person from 0.5 % of the picture on: its input is what it was trained with."""
    task, right, photos = load(real[0]), 0, 0
    for split in ("val2017", "train2017"):
        (labels,) = (test_data / "coco" / "annotations").glob(f"instances_{split}*.json")
        coco = json.loads(labels.read_text())
        for image in coco["images"]:
            boxes = [
                a["bbox"]
                for a in coco["annotations"]
                if a["image_id"] == image["id"] and a["category_id"] == 1
            ]
            person = any(w * h >= 0.005 * image["width"] * image["height"] for _, _, w, h in boxes)
            right += task(test_data / "coco" / split / image["file_name"]).top(1)[0].index == person
            photos += 1
    assert photos == 159
    assert right / photos > 0.7, right / photos


@BOTH
def test_real_networks_run_from_a_clip(real, test_data, capsys):
    clip = min((test_data / "videos").glob("*.mp4"))
    code, (summary,), _ = run(capsys, "camera", real[0], "--source", clip, "--unpaced", "--frames", "10")
    assert (code, summary["frames"]["processed"]) == (0, 10)
