"""``edgekit export`` from one end to the other, on a small classifier and drawn pictures."""

import json
import os
import signal
import subprocess
import sys
import time

import cv2
import msgspec
import numpy as np
import pytest

from edgekit import open_bundle
from edgekit.cli import main
from edgekit.machine import this_machine
from edgekit.report.accuracy import read_report
from edgekit_export import pipeline
from edgekit_export.target import target_here


@pytest.fixture
def photos(tmp_path):
    """Two folders of different noise pictures: calibration and evaluation."""
    for name, seed in (("calib", 1), ("eval", 2)):
        (tmp_path / name).mkdir()
        rng = np.random.default_rng(seed)
        for i in range(24):
            coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
            picture = cv2.resize(coarse, (40, 30), interpolation=cv2.INTER_LINEAR_EXACT)
            cv2.imwrite(str(tmp_path / name / f"{i}.png"), picture)
    return tmp_path


@pytest.fixture
def model(tmp_path, small_classifier):
    path = tmp_path / "small.onnx"
    path.write_bytes(small_classifier().SerializeToString())
    return path


@pytest.fixture
def wide_model(tmp_path, small_classifier):
    """So large that integers pay."""
    path = tmp_path / "wide.onnx"
    path.write_bytes(small_classifier(size=96).SerializeToString())
    return path


def arguments(model, photos, out, *more):
    data = ["--calib", str(photos / "calib"), "--eval", str(photos / "eval")]
    return ["export", str(model), "-o", str(out), "--normalize", "0to1", *data, *map(str, more), "--json"]


def run(capsys, argv):
    code = main(argv)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, json.loads(captured.out)


def test_a_bundle_its_reference_and_its_figures(model, photos, tmp_path, capsys):
    code, body = run(capsys, arguments(model, photos, tmp_path / "s.edge", "--report", tmp_path / "report"))
    assert code == 0
    assert [(v["name"], v["format"]) for v in body["variants"]] == [("int8", "onnx"), ("fp16", "onnx")]
    assert body["size_bytes"] == (tmp_path / "s.edge").stat().st_size
    assert body["variants"][0]["bytes"] < body["variants"][1]["bytes"]
    assert body["drop"]["metric"] == "disagreement"
    assert body["drop"]["n"] == 24
    assert body["verdict"] == "NONE"
    step = body["variants"][0]["parity"]["model"]
    assert step["export"]["all"]["max_abs"] < 1e-5
    assert step["reduction"]["all"]["sqnr_db"] > 20
    assert set(body["report"]) >= {"json", "markdown", "html"}
    report = read_report(tmp_path / "report" / "report.json")
    assert report.matrix.variants == ("fp32", "int8", "fp16")
    origin = report.graphs["model"]
    assert [(layer.name, layer.precision) for layer in origin.layers] == [
        ("conv0", "int8"),
        ("conv1", "int8"),
        ("globalaveragepool0", "int8"),
        ("scores", "int8"),
    ]
    assert all(layer.alone_db > 20 and layer.cumulative_db > 20 for layer in origin.layers)
    assert origin.samples == origin.stages.samples == 8
    assert msgspec.to_builtins(origin.stages) == body["variants"][0]["parity"]["model"]
    bundle, reference = open_bundle(tmp_path / "s.edge"), open_bundle(tmp_path / "s.reference.edge")
    assert [v.name for v in reference.manifest.variants] == ["fp32"]
    assert bundle.manifest.lock.calibration_n == bundle.manifest.lock.evaluation_n == 24
    assert bundle.manifest.variants[0].drop.interval == tuple(body["drop"]["interval"])
    for path in ("s.edge", "s.reference.edge"):
        assert main(["verify", str(tmp_path / path)]) == 0
        assert main(["selftest", str(tmp_path / path)]) == 0
    against = ["--against", str(tmp_path / "s.reference.edge"), "--data", str(photos / "eval")]
    capsys.readouterr()
    code, again = run(capsys, ["validate", str(tmp_path / "s.edge"), *against, "--json"])
    assert (code, again["interval"], again["agreement"]) == (
        0,
        body["drop"]["interval"],
        body["drop"]["agreement"],
    )


def test_the_same_inputs_give_the_same_bytes(model, photos, tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert run(capsys, arguments(model, photos, tmp_path / name / "s.edge"))[0] == 0
    for name in ("s.edge", "s.reference.edge"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


LATENCY = {"ms", "of_full_precision", "n", "estimated_ms", "max_ms"}


def test_what_is_slow_or_inexact_on_the_target_is_told(model, photos, tmp_path, capsys):
    argv = arguments(model, photos, tmp_path / "s.edge", "--target", "avx2")
    code, body = run(capsys, argv)
    int8, fp16 = body["variants"]
    assert (code, body["target"], fp16["warnings"]) == (0, "avx2", [])
    assert [set(v["latency"]) for v in (int8, fp16)] == [LATENCY] * 2
    assert int8["latency"]["ms"] > 0 < int8["latency"]["of_full_precision"]
    assert 5 <= int8["latency"]["n"] == fp16["latency"]["n"] <= 50
    assert 0 < int8["latency"]["estimated_ms"] != fp16["latency"]["estimated_ms"] > 0
    (warning,) = int8["warnings"]
    assert set(warning) == {"graph", "rule", "where", "count", "message", "remedy"}
    assert (warning["graph"], warning["rule"], warning["count"]) == ("model", "saturating-u8s8", 3)
    assert warning["where"] == ["conv0", "conv1", "scores"]
    assert main(argv[:-1]) == 0
    out = capsys.readouterr().out
    assert "warning, int8: conv0, conv1, scores would saturate on x86 with AVX2" in out
    assert " ms there" in out
    code, body = run(capsys, arguments(model, photos, tmp_path / "s.edge", "--target", "pi5"))
    assert (code, body["target"], [v["warnings"] for v in body["variants"]]) == (0, "pi5", [[], []])


def test_a_latency_is_kept_by_codes_in_some_layers(wide_model, photos, tmp_path, capsys):
    """Estimated for another processor, so that no figure depends on what else this machine does."""
    there = ["--target", "pi4" if target_here(this_machine()).name != "pi4" else "pi5"]
    code, body = run(capsys, arguments(wide_model, photos, tmp_path / "s.edge", *there))
    fast, slow = (variant["latency"]["estimated_ms"] for variant in body["variants"])
    assert (code, fast < slow) == (0, True)
    limit = ["--max-latency", f"{(fast + slow) / 2}ms", *there]
    code, body = run(capsys, arguments(wide_model, photos, tmp_path / "m.edge", "--recipe", "mixed", *limit))
    (mixed,) = body["variants"]
    assert (code, mixed["name"], mixed["recipe"]) == (0, "mixed", "static_mixed")
    assert mixed["latency"]["estimated_ms"] <= mixed["latency"]["max_ms"] == body["max_latency_ms"]
    assert 0 < mixed["layers"]["model"]["int8"]["layers"] < 3
    assert main(["selftest", str(tmp_path / "m.edge")]) == 0
    capsys.readouterr()
    again = arguments(wide_model, photos, tmp_path / "again.edge", "--locked", tmp_path / "m.edge")
    again = [one for one in again if one not in ("--normalize", "0to1")]
    assert run(capsys, again)[0] == 0
    code, body = run(capsys, arguments(wide_model, photos, tmp_path / "i.edge", *limit))
    assert (code, [v["name"] for v in body["variants"]], body["left_out"]) == (0, ["int8"], ["fp16"])


def test_a_latency_that_nothing_keeps(wide_model, photos, tmp_path, capsys):
    there = ["--target", "pi4" if target_here(this_machine()).name != "pi4" else "pi5"]
    argv = arguments(wide_model, photos, tmp_path / "s.edge", "--max-latency", "1us", *there)
    code, body = run(capsys, argv)
    assert (code, body["bundle"]) == (1, None)
    assert "the latency does not hold" in body["refusal"]
    assert body["relaxation"] == f"--max-latency {body['least_latency_ms']:g}ms"
    least = min(point["latency_ms"] for point in body["frontier"])
    assert 0.001 < body["least_latency_ms"] <= least * 1.05 + 0.01  # the search wrote a faster one
    code, body = run(capsys, [*argv[:-1], "--max-latency", f"{body['least_latency_ms']:g}ms", "--json"])
    assert code == 0


def test_a_latency_that_mixed_alone_does_not_keep(wide_model, photos, tmp_path, capsys):
    """Nothing is in time, so nothing was measured: the least time written is all there is to say."""
    argv = arguments(wide_model, photos, tmp_path / "s.edge", "--recipe", "mixed", "--max-latency", "1us")
    code, body = run(capsys, argv)
    assert (code, body["frontier"], body["max_latency_ms"]) == (1, [], 0.001)
    assert "the latency does not hold" in body["refusal"]
    assert body["least_latency_ms"] > 0.001
    assert body["relaxation"] == f"--max-latency {body['least_latency_ms']:g}ms"


def test_an_impossible_size_is_refused_and_the_one_it_names_holds(model, photos, tmp_path, capsys):
    code, body = run(capsys, arguments(model, photos, tmp_path / "s.edge", "--max-size", "2kB"))
    assert (code, body["bundle"], body["size_bytes"]) == (1, None, 0)
    assert not list(tmp_path.glob("*.edge"))
    smallest = body["smallest_bytes"]
    least = min(entry["bytes"] for entry in body["frontier"])
    assert least < smallest <= least + 200
    assert sorted(path.name for path in tmp_path.glob("s.*")) == ["s.frontier.html", "s.frontier.png"]
    code, body = run(capsys, arguments(model, photos, tmp_path / "s.edge", "--max-size", smallest))
    assert (code, [variant["name"] for variant in body["variants"]]) == (0, ["mixed"])
    assert smallest - 400 <= body["size_bytes"] <= smallest
    code, body = run(capsys, arguments(model, photos, tmp_path / "t.edge", "--max-size", smallest - 400))
    assert code == 1


def test_a_drop_that_is_not_proven_is_refused(model, photos, tmp_path, capsys):
    code, body = run(capsys, arguments(model, photos, tmp_path / "s.edge", "--max-drop", "1%"))
    assert (code, body["verdict"]) == (1, "INCONCLUSIVE")
    assert body["smallest_drop"] > 1
    assert "samples" in body["refusal"]
    assert not list(tmp_path.glob("*.edge"))
    code, body = run(
        capsys, arguments(model, photos, tmp_path / "s.edge", "--max-drop", "60%", "--recipe", "fp16")
    )
    assert (code, body["verdict"]) == (0, "PASS")


def test_people_see_a_table(model, photos, tmp_path, capsys):
    argv = arguments(model, photos, tmp_path / "s.edge", "--recipe", "fp16,fp32", "--limit", "5")[:-1]
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert "fp16" in out
    assert "wrote" in out
    main([*argv, "--max-size", "1kB"])
    assert "refused: the size does not hold" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"-o": "s.zip"}, "ending in .edge"),
        ({"-o": "gone/s.edge"}, "no folder"),
        ({"--calib": "gone"}, "no such file or folder"),
        ({"--calib": "empty"}, "empty"),
        ({"--eval": "calib"}, "share 24"),
        ({"--recipe": "int3"}, "int8, mixed, fp16, fp32"),
        ({"--max-size": "5XB"}, "size"),
        ({"--normalize": "guess"}, "imagenet"),
        ({"source": "gone.onnx"}, "No such file"),
        ({"source": "broken.onnx"}, "truncated"),
        ({"source": "empty.onnx"}, "empty"),
        ({"source": "no-such-model"}, "efficientnet-lite0"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    model, photos, tmp_path, capsys, monkeypatch, change, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "broken.onnx").write_bytes(model.read_bytes()[:300])
    options = {"-o": "s.edge", "--calib": "calib", "--eval": "eval", "--normalize": "0to1"} | change
    source = options.pop("source", "small.onnx")
    before = set(tmp_path.rglob("*"))
    assert main(["export", source, *(word for pair in options.items() for word in pair)]) == 2
    err = capsys.readouterr().err.splitlines()
    assert message in err[-1]
    assert sum(line.startswith("edgekit") for line in err) == 1
    assert not any("Traceback" in line for line in err)
    assert set(tmp_path.rglob("*")) == before


def test_int8_without_pictures_and_a_gate_without_data(model, tmp_path, capsys):
    plain = ["export", str(model), "-o", str(tmp_path / "s.edge"), "--normalize", "0to1"]
    assert main(plain) == 2
    assert "add --calib" in capsys.readouterr().err
    assert main([*plain, "--recipe", "fp16", "--max-drop", "1%"]) == 2
    assert "add --eval" in capsys.readouterr().err
    assert main([*plain, "--recipe", "fp16"]) == 0


def test_a_full_disk_leaves_nothing(model, photos, tmp_path, capsys, monkeypatch):
    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgekit.bundle.atomic.os.fsync", full)
    code, body = run(capsys, arguments(model, photos, tmp_path / "s.edge", "--recipe", "fp16"))
    assert (code, body["error"]["kind"]) == (2, "output")
    assert "No space left" in body["error"]["message"]
    assert not list(tmp_path.glob("*.edge*"))


@pytest.mark.parametrize("full_at", [1, 2])
def test_a_disk_that_fills_up_between_the_two_bundles_leaves_the_old_pair(
    model, photos, tmp_path, capsys, monkeypatch, full_at
):
    pair = [tmp_path / "s.edge", tmp_path / "s.reference.edge"]
    assert run(capsys, arguments(model, photos, pair[0], "--recipe", "fp16"))[0] == 0
    before = [path.read_bytes() for path in pair]
    count = 0

    def full(fd):
        nonlocal count
        count += 1
        if count >= full_at:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgekit.bundle.atomic.os.fsync", full)
    assert run(capsys, arguments(model, photos, pair[0], "--recipe", "int8"))[0] == 2
    assert [path.read_bytes() for path in pair] == before
    assert sorted(tmp_path.glob("*edge*")) == sorted(pair)


@pytest.mark.parametrize("delay_s", [0.5, 1.5, 2.5])
def test_killed_at_any_moment_there_is_no_bundle_or_a_whole_one(model, photos, tmp_path, delay_s):
    command = [sys.executable, "-m", "edgekit", *arguments(model, photos, tmp_path / "s.edge")]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ}
    )
    deadline = time.monotonic() + delay_s
    while process.poll() is None and time.monotonic() < deadline:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    assert all(main(["verify", str(path)]) == 0 for path in tmp_path.glob("*.edge"))


def test_sigterm_leaves_no_temporary_folder(model, photos, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "edgekit", *arguments(model, photos, tmp_path / "s.edge")]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(scratch)}
    )
    for line in process.stderr:
        if line.startswith(b"calibration"):
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not list(scratch.iterdir())


def test_a_relative_limit_without_labels_is_refused_before_anything_is_converted(
    model, photos, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(pipeline, "full_precision_of", None)
    code, body = run(capsys, arguments(model, photos, tmp_path / "s.edge", "--max-drop", "1%rel"))
    assert code == 2
    assert "a relative limit needs labels" in body["error"]["message"]
