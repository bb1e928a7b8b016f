import json

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.cli import main
from edgekit.data.dataset import open_data
from edgekit.report import html as html_module


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(40):
        pixels = np.random.default_rng(i).integers(0, 120, (12, 12, 3), np.uint8)
        pixels[:, :, i % 3] += 100
        cv2.imwrite(str(folder / f"{i}.png"), pixels)
    return folder


def validate(capsys, *args):
    code = main(["validate", *map(str, args), "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out), err


def test_no_limit(tiny_bundle, photos, capsys):
    code, found, err = validate(capsys, tiny_bundle("c"), "--against", tiny_bundle("r"), "--data", photos)
    assert code == 0
    assert found["schema"] == 1
    assert (found["task"], found["metric"], found["n"], found["verdict"]) == (
        "classify",
        "disagreement",
        40,
        "NONE",
    )
    assert (found["drop"], found["agreement"], found["identical"]) == (0.0, 100.0, True)
    assert found["interval"] == [0.0, pytest.approx(100 * (1 - 0.05 ** (1 / 40)))]
    assert found["flips"] == {"changed": 0, "right_to_wrong": None, "wrong_to_right": None}
    assert found["report"] == {}
    assert "comparing: done" in err


@pytest.mark.parametrize(
    ("scale", "limit", "code", "verdict"),
    [(0.1, "10%", 0, "PASS"), (0.1, "2%", 1, "INCONCLUSIVE"), (-0.1, "2%", 1, "FAIL")],
)
def test_gate(tiny_bundle, photos, capsys, scale, limit, code, verdict):
    candidate = tiny_bundle("c", scales=(scale, 0.1))
    got, found, _ = validate(
        capsys, candidate, "--against", tiny_bundle("r"), "--data", photos, "--max-drop", limit
    )
    assert (got, found["verdict"]) == (code, verdict)
    assert found["max_drop"] == float(limit.rstrip("%"))
    if verdict == "INCONCLUSIVE":
        assert found["needed_n"] == found["least_n"] == 149


def test_labels_variant_limit_and_relative(tiny_bundle, photos, capsys, tmp_path):
    for i, label in enumerate(("blue", "green", "red")):  # OpenCV wrote channel 0 as blue
        (tmp_path / "labelled" / label).mkdir(parents=True)
        for path in photos.glob("*.png"):
            if int(path.stem) % 3 == i:
                path.rename(tmp_path / "labelled" / label / path.name)
    candidate = tiny_bundle("c", scales=(0.1, -0.1))
    code, found, _ = validate(
        capsys, candidate, "--against", tiny_bundle("r"), "--data", tmp_path / "labelled", "--variant", "fp16",
        "--limit", 30, "--seed", 1, "--threads", 1, "--max-drop", "50%rel",
    )  # fmt: skip
    assert (found["metric"], found["n"], found["reference"], found["candidate"]) == ("top1", 30, 100.0, 0.0)
    assert (code, found["verdict"], found["max_drop"]) == (1, "FAIL", 50.0)
    assert found["flips"] == {"changed": 30, "right_to_wrong": 30, "wrong_to_right": 0}
    assert found["subjects"]["candidate"]["variant"] == "fp16"
    assert found["subjects"]["reference"]["threads"] == 1


def test_report(tiny_bundle, photos, capsys, tmp_path):
    folder = tmp_path / "out" / "deep"
    candidate = tiny_bundle("c", scales=(-0.1, 0.1))
    code, found, _ = validate(
        capsys, candidate, "--against", tiny_bundle("r"), "--data", photos, "--report", folder
    )
    assert code == 0
    assert found["report"]["html"] == str(folder / "report.html")
    assert (folder / "report.html").read_text().count("data:image/jpeg") == 20
    written = json.loads((folder / "report.json").read_text())
    assert written["worst"][0].pop("thumbnail")
    assert written["worst"][0] == found["worst"][0]


def test_text(tiny_bundle, photos, capsys):
    code = main(
        [
            "validate",
            str(tiny_bundle("c")),
            "--against",
            str(tiny_bundle("r")),
            "--data",
            str(photos),
            "--max-drop",
            "10%",
        ]
    )
    out = capsys.readouterr().out
    assert code == 0
    assert out.startswith("PASS: disagreement 0.00 points, 95 % interval 0.00 to 7.22\n")
    assert "identical to the bit" in out


@pytest.mark.parametrize(
    ("args", "code", "kind", "message"),
    [
        (["--data", "{photos}/nothing"], 2, "data", "no such file or folder"),
        (["--data", "{photos}", "--variant", "int4"], 2, "usage", "no variant 'int4'"),
        (["--data", "{photos}", "--max-drop", "5"], 2, "usage", "drop: got '5'"),
        (["--data", "{photos}", "--max-drop", "5%rel"], 2, "usage", "a relative limit needs labels"),
        (["--data", "rendered:cats"], 2, "usage", "nothing called 'cats'"),
        ([], 2, "usage", "--data"),
        (["--data", "{photos}", "--report", "{photos}/1.png"], 2, "output", "1.png: File exists"),
    ],
)
def test_bad_input(tiny_bundle, photos, capsys, args, code, kind, message):
    args = [a.format(photos=photos) for a in args]
    got, found, err = validate(capsys, tiny_bundle("c"), "--against", tiny_bundle("r"), *args)
    assert (got, found["error"]["kind"]) == (code, kind)
    assert message in found["error"]["message"]
    assert "Traceback" not in err


def test_report_without_jinja2_says_so_first(tiny_bundle, photos, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(html_module, "find_spec", lambda name: None)
    code, found, _ = validate(
        capsys,
        tiny_bundle("c"),
        "--against",
        tiny_bundle("r"),
        "--data",
        photos,
        "--report",
        tmp_path / "out",
    )
    assert (code, found["error"]["kind"]) == (3, "environment")
    assert not (tmp_path / "out").exists()


def test_calibration_data_is_refused(tiny_bundle, photos, capsys):
    digest = open_data([str(photos)], "classify").sha256
    candidate = tiny_bundle(
        "c", change=lambda m, _: replace(m, lock=replace(m.lock, calibration_sha256=digest))
    )
    code, found, _ = validate(capsys, candidate, "--against", tiny_bundle("r"), "--data", photos)
    assert code == 2
    assert "is what c.edge was calibrated on" in found["error"]["message"]
