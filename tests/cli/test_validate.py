import json

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.cli import main
from edgekit.data.dataset import digest_starts, open_data
from edgekit.predictions.file import open_recording
from edgekit.report import page


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
    assert found["schema"] == 2
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
    monkeypatch.setattr(page, "find_spec", lambda name: None)
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
    one = open_data([str(photos / "7.png")], "classify").digests
    candidate = tiny_bundle(
        "c", change=lambda m, _: replace(m, lock=replace(m.lock, calibration_sources=digest_starts(one)))
    )
    code, found, _ = validate(capsys, candidate, "--against", tiny_bundle("r"), "--data", photos)
    assert code == 2
    assert found["error"]["message"].startswith("calibration and evaluation share 1 of 40 pictures")


def test_recorded_reference(tiny_bundle, photos, capsys, tmp_path):
    reference, candidate = tiny_bundle("r"), tiny_bundle("c", scales=(0.004, 0.1))
    file = tmp_path / "r.predictions"
    code, made, _ = validate(capsys, reference, "--data", photos, "--record", file)
    assert (code, made["predictions"], made["n"], made["bytes"]) == (0, str(file), 40, file.stat().st_size)
    assert open_recording(file).header.subject.bundle == "r"
    args = ("--data", photos, "--max-drop", "10%")
    _, live, _ = validate(capsys, candidate, "--against", reference, *args)
    code, found, _ = validate(capsys, candidate, "--against", file, *args)
    assert code == 0
    same = ("verdict", "drop", "interval", "flips", "agreement", "sqnr_db", "sqnr_n", "worst", "measures")
    assert {key: found[key] for key in same} == {key: live[key] for key in same}
    assert found["subjects"]["reference"]["recorded"] == "r.predictions"
    assert found["latency_ms"]["reference"]["p50"] > 0
    mine = tmp_path / "c.predictions"
    validate(capsys, candidate, "--data", photos, "--record", mine)
    _, both, _ = validate(capsys, mine, "--against", file, *args)
    assert {key: both[key] for key in same} == {key: live[key] for key in same}
    assert both["golden"] is None


def test_recorded_on_other_samples(tiny_bundle, photos, capsys, tmp_path):
    file = tmp_path / "r.predictions"
    validate(capsys, tiny_bundle("r"), "--data", photos, "--record", file, "--limit", 10)
    code, found, _ = validate(capsys, tiny_bundle("c"), "--against", file, "--data", photos)
    assert code == 2
    assert "give the same --data, --limit and --seed" in found["error"]["remedy"]
    code, found, _ = validate(capsys, tiny_bundle("c"), "--against", file, "--data", photos, "--limit", 10)
    assert (code, found["n"]) == (0, 10)


def test_robustness_and_looks(tiny_bundle, photos, capsys):
    args = (tiny_bundle("c"), "--against", tiny_bundle("r"), "--data", photos)
    _, found, _ = validate(capsys, *args, "--robustness", "noise,blur")
    assert [(s["kind"], s["name"], s["n"]) for s in found["slices"]] == [
        ("condition", "blur", 40), ("condition", "noise", 40),
    ]  # fmt: skip
    _, found, _ = validate(capsys, *args, "--robustness")
    assert [s["name"] for s in found["slices"]] == ["blur", "darkness", "jpeg", "noise", "scale"]
    code, found, _ = validate(capsys, *args, "--max-drop", "30%", "--looks", 2)
    assert (code, [look["n"] for look in found["looks"]], found["n"]) == (0, [20], 20)


def test_findings_against_a_recording(tiny_bundle, photos, capsys, tmp_path):
    file = tmp_path / "r.predictions"
    validate(capsys, tiny_bundle("r"), "--data", photos, "--record", file)

    def spoilt(manifest, members):
        members["assets/labels.txt"] = b"green\nred\nblue\n"
        return swapped_channels(manifest, members)

    candidate = tiny_bundle("c", change=spoilt)
    _, found, _ = validate(capsys, candidate, "--against", file, "--data", photos)
    assert [(f["stage"], f["restored"]) for f in found["findings"]] == [
        ("channel order", None), ("label map", None),
    ]  # fmt: skip
    assert found["drop"] == 100.0  # by name, red became blue became … and no class is what it was
    _, found, _ = validate(capsys, candidate, "--against", tiny_bundle("r"), "--data", photos)
    assert [f["stage"] for f in found["findings"]] == ["channel order", "label map"]


def test_golden_and_findings(tiny_bundle, photos, capsys):
    candidate = tiny_bundle("c", change=swapped_channels)
    _, found, _ = validate(capsys, candidate, "--against", tiny_bundle("r"), "--data", photos)
    assert [f["stage"] for f in found["findings"]] == ["channel order"]
    assert found["golden"] == {"inputs": 1, "failed": 0, "exact": 1, "problem": ""}  # green stays green
    spoilt = tiny_bundle(
        "s", change=lambda m, _: replace(m, golden=tuple(replace(g, decision="0") for g in m.golden))
    )
    _, found, _ = validate(capsys, spoilt, "--against", tiny_bundle("r"), "--data", photos)
    assert (found["golden"]["failed"], found["golden"]["problem"]) == (1, "expected decision '0', got '1'")
    assert found["findings"] == []


def swapped_channels(manifest, members):
    def swapped(variant):
        model = variant.models["model"]
        wrong = replace(model, input=replace(model.input, color="bgr"))
        return replace(variant, models={"model": wrong})

    return replace(manifest, variants=tuple(swapped(v) for v in manifest.variants))


def test_compare_two_reports(tiny_bundle, photos, capsys, tmp_path):
    for name, scale in (("a", 0.1), ("b", -0.1)):
        candidate = tiny_bundle(f"c{name}", scales=(scale, 0.1))
        args = (candidate, "--against", tiny_bundle("r"), "--data", photos, "--report", tmp_path / name)
        validate(capsys, *args)
    pair = (tmp_path / "a" / "report.json", tmp_path / "b" / "report.json")
    code, found, _ = validate(capsys, "--compare", *pair, "--report", tmp_path / "ab")
    assert (code, found["kind"], found["intervals"]) == (0, "comparison", "apart")
    assert (found["before"]["drop"], found["after"]["drop"]) == (0.0, 100.0)
    assert sorted(found["report"]) == ["html", "json", "markdown"]
    assert main(["validate", "--compare", *map(str, pair)]) == 0
    assert "100.00 points" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "validate: no BUNDLE"),
        (["{bundle}"], "validate: no --data"),
        (["{bundle}", "--data", "{photos}"], "validate: no --against"),
        (["{bundle}", "--data", "{photos}", "--against", "{bundle}", "--looks", "6"], "looks: got 6"),
        (["{bundle}", "--data", "{photos}", "--against", "{bundle}", "--looks", "2"], "looks: 2 looks at no limit"),
        (["{bundle}", "--data", "{photos}", "--against", "{bundle}", "--robustness", "fog"], "robustness: got 'fog'"),
        (["{bundle}", "--compare", "a.json", "b.json"], "--compare reads two reports"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(tiny_bundle, photos, capsys, args, message):
    bundle = tiny_bundle("r")
    code, found, _ = validate(capsys, *(arg.format(bundle=bundle, photos=photos) for arg in args))
    assert (code, found["error"]["kind"]) == (2, "usage")
    assert message in found["error"]["message"]
