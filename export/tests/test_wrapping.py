"""``edgekit export FILE.tflite``: the file as it is, its float twin to measure against, ONNX where it is asked for."""

import hashlib
import json
import zipfile

import cv2
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

import edgekit
from edgekit.cli import main
from edgekit.machine import this_machine
from edgekit_export.target import target_here
from edgekit_export.tflite.flatbuffer import write_tflite
from export.tests.tflite.graphs import anchored, softmax_classifier
from tests.tflite_files import channel_means


@pytest.fixture
def folder(tmp_path):
    """The same network in int8 and in float, one that is damaged, a detector, and two folders of pictures."""
    for name, seed in (("calib", 1), ("eval", 2)):
        (tmp_path / name).mkdir()
        rng = np.random.default_rng(seed)
        for i in range(24):
            coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
            picture = cv2.resize(coarse, (40, 30), interpolation=cv2.INTER_LINEAR_EXACT)
            cv2.imwrite(str(tmp_path / name / f"{i}.png"), picture)
    (tmp_path / "int8.tflite").write_bytes(channel_means("int8"))
    (tmp_path / "float.tflite").write_bytes(channel_means())
    (tmp_path / "damaged.tflite").write_bytes(channel_means()[:400])
    (tmp_path / "faces.tflite").write_bytes(write_tflite(anchored()))
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    return tmp_path


def export(capsys, folder, name, *more):
    """Exit code, what was printed, and the bundle's path."""
    bare = ["--labels", str(folder / "labels.txt"), "--task", "classify", "--resize", "stretch"]
    bare = [] if name == "faces" else bare
    out = folder / f"{name}.edge"
    code = main(["export", str(folder / f"{name}.tflite"), "-o", str(out), *bare, *map(str, more), "--json"])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, json.loads(captured.out), out


def sha256_of(bundle, member):
    with zipfile.ZipFile(bundle) as archive:
        return hashlib.sha256(archive.read(member)).hexdigest()


def test_a_quantised_file_goes_in_byte_for_byte_without_a_reference(folder, capsys):
    code, body, out = export(capsys, folder, "int8")
    assert code == 0
    assert [(v["name"], v["format"], v["recipe"], v["bytes"]) for v in body["variants"]] == [
        ("int8", "tflite", "as_it_is", len(channel_means("int8")))
    ]
    assert (body["reference"], body["reference_bytes"], body["drop"]) == (None, None, None)
    assert "already quantised: wrapped, not re-quantised" in body["remark"]
    assert sha256_of(out, "int8/model.tflite") == hashlib.sha256(channel_means("int8")).hexdigest()
    assert not (folder / "int8.reference.edge").exists()
    bundle = edgekit.open_bundle(out)
    assert "not re-quantised" in bundle.card.notes
    assert bundle.manifest.lock.recipe == "as_it_is"
    assert bundle.manifest.lock.weights == {"model": hashlib.sha256(channel_means("int8")).hexdigest()}
    blue = np.full((30, 40, 3), (20, 40, 220), np.uint8)
    assert edgekit.load(out)(blue).top(1)[0].label == "blue"
    assert main(["selftest", str(out), "--json"]) == 0


def test_a_float_file_is_its_own_reference(folder, capsys):
    code, body, out = export(capsys, folder, "float", "--normalize", "none")
    assert code == 0
    assert [v["name"] for v in body["variants"]] == ["fp32"]
    assert body["remark"] == "The TFLite file (fp32) was wrapped as it is; its bytes are unchanged."
    assert body["drop"] is None
    code, body, out = export(capsys, folder, "float", "--normalize", "none", "--eval", folder / "eval")
    assert (code, body["drop"]["n"], body["drop"]["drop"]) == (0, 24, 0.0)
    wrapped = hashlib.sha256(channel_means()).hexdigest()
    assert sha256_of(out, "fp32/model.tflite") == sha256_of(body["reference"], "fp32/model.tflite") == wrapped


def test_the_drop_of_a_quantised_file_against_its_twin(folder, capsys):
    """Both name the strongest colour; int8 rounds means to one of 256 codes."""
    code, body, out = export(
        capsys, folder, "int8", "--reference", folder / "float.tflite", "--eval", folder / "eval"
    )
    assert code == 0
    assert (body["drop"]["metric"], body["drop"]["n"], body["drop"]["drop"]) == ("disagreement", 24, 0.0)
    assert body["drop"]["sqnr_db"] > 30
    assert [v.precision for v in edgekit.open_bundle(body["reference"]).manifest.variants] == ["fp32"]
    weights = edgekit.open_bundle(out).manifest.lock.weights
    assert weights["model, full precision"] == hashlib.sha256(channel_means()).hexdigest()


def test_what_was_wrapped_is_wrapped_again_by_its_lock(folder, capsys):
    """A quantised file with its twin; and a float file both as it is and as ONNX."""
    twin = ["--reference", folder / "float.tflite", "--eval", folder / "eval"]
    data = ["--calib", folder / "calib", "--eval", folder / "eval"]
    labels = ["--labels", str(folder / "labels.txt")]
    for name, bare, more in (
        ("int8", [], twin),
        ("float", ["--normalize", "none", "--format", "both"], data),
    ):
        code, _, out = export(capsys, folder, name, *bare, *more)
        assert code == 0
        argv = [
            "export",
            folder / f"{name}.tflite",
            "-o",
            folder / "again.edge",
            "--locked",
            out,
            *more,
            *labels,
        ]
        assert main([*map(str, argv), "--json"]) == 0
        body = json.loads(capsys.readouterr().out)
        assert (body["reproduced"], body["differs"]) == (True, [])
        assert (folder / "again.edge").read_bytes() == out.read_bytes()
    argv[1] = folder / "int8.tflite"
    assert main([*map(str, argv), "--json"]) == 2


@pytest.mark.parametrize("more", [["--format", "onnx"], ["--format", "both"]])
def test_a_float_file_as_onnx(folder, capsys, more):
    data = ["--calib", folder / "calib", "--eval", folder / "eval", "--normalize", "none"]
    code, body, _ = export(capsys, folder, "float", *more, *data)
    assert code == 0
    names = ["int8", "fp16", "fp32-tflite"] if more[1] == "both" else ["int8", "fp16"]
    assert [v["name"] for v in body["variants"]] == names
    assert all(v["parity"]["model"]["export"]["all"]["max_abs"] < 1e-5 for v in body["variants"][:2])
    assert all(v["drop"]["n"] == 24 for v in body["variants"])
    if more[1] == "both":
        assert body["variants"][2]["drop"]["drop"] == 0.0


def test_probabilities_are_not_compared_with_logits(folder, capsys):
    """The ONNX graph ends before the softmax, the file behind it."""
    (folder / "float.tflite").write_bytes(softmax_classifier())
    data = ["--calib", folder / "calib", "--eval", folder / "eval", "--normalize", "none"]
    code, body, _ = export(capsys, folder, "float", "--format", "both", *data)
    drops = [v["drop"] for v in body["variants"]]
    assert (code, [d["drop"] for d in drops[1:]], drops[2]["sqnr_db"]) == (0, [0.0, 0.0], None)
    assert drops[0]["sqnr_db"] > 20


def test_a_detector_with_anchors_as_tflite_and_as_onnx(folder, capsys):
    data = ["--calib", folder / "calib", "--eval", folder / "eval", "--normalize", "minus1to1"]
    code, body, out = export(capsys, folder, "faces", "--format", "both", "--recipe", "fp16", *data)
    assert (code, [v["name"] for v in body["variants"]]) == (0, ["fp16", "fp32-tflite"])
    assert body["variants"][0]["parity"]["model"]["export"]["all"]["max_abs"] < 1e-4
    picture = cv2.imread(str(folder / "eval" / "3.png"))[:, :, ::-1]
    found = [
        edgekit.load(path, name)(picture)
        for path, name in ((out, "fp32-tflite"), (body["reference"], "fp32"))
    ]
    assert len(found[0].score) > 0
    np.testing.assert_allclose(found[0].xyxy, found[1].xyxy, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "more", "problem"),
    [
        ("int8", ["--recipe", "int8,fp16"], "already quantised: it is wrapped, not re-quantised"),
        ("int8", ["--format", "onnx"], "nothing in full precision is left to make ONNX of"),
        ("int8", ["--format", "both"], "nothing in full precision is left to make ONNX of"),
        ("int8", ["--max-drop", "1%"], "int8, wrapped as it is, has nothing to be measured against"),
        ("int8", ["--reference", "{folder}/int8.tflite"], "is quantised too"),
        ("int8", ["--reference", "{folder}/missing.tflite"], "no such file"),
        (
            "int8",
            ["--reference", "{folder}/faces.tflite"],
            "is of another network: it takes x float32 1×32×32×3",
        ),
        (
            "float",
            ["--normalize", "none", "--recipe", "int8"],
            "a TFLite file is wrapped as it is, this one in fp32",
        ),
        ("float", ["--normalize", "none", "--max-drop", "1%"], "--max-drop needs data to measure on"),
        ("float", ["--normalize", "none", "--reference", "{folder}/float.tflite"], "is its own reference"),
        ("float", [], "how pixels are normalised cannot be read off a graph"),
        ("damaged", [], "byte"),
    ],
)
def test_what_is_refused_in_one_line(folder, capsys, name, more, problem):
    code, body, out = export(capsys, folder, name, *(part.format(folder=folder) for part in more))
    assert code == 2
    assert problem in body["error"]["message"]
    assert "\n" not in body["error"]["message"]
    assert not out.exists()


def test_the_twin_that_breaks_the_interpreter_and_the_file_that_does(folder, capsys, test_data):
    path = test_data / "breakers" / "keyword_scrambled_8bit.tflite"
    if not path.is_file():
        pytest.skip(f"test data absent: {path}")
    (folder / "breaker.tflite").write_bytes(path.read_bytes())
    for name, more in (("breaker", []), ("int8", ["--reference", path])):
        code, body, out = export(capsys, folder, name, *more)
        assert (code, body["error"]["kind"]) == (2, "model")
        assert "ends the process with SIG" in body["error"]["message"]
        assert not out.exists()


def test_a_recipe_may_name_a_tflite_file(folder, capsys):
    recipe = folder / "recipe"
    recipe.mkdir()
    (recipe / "m.tflite").write_bytes(channel_means("int8"))
    (recipe / "labels.txt").write_text("red\ngreen\nblue\n")
    (recipe / "card.toml").write_text(
        'title = "m"\ntask = "classify"\ndomain = "d"\nlanguages = []\ninput_range = "i"\ncannot = ["c"]\n'
        'license = "l"\nsource = "s"\nparameters = 1\n'
    )
    text = """
schema = 1
task = "classify"
[models.model]
file = "m.tflite"
shape = [1, 3, 8, 8]
[models.model.input]
kind = "image"
tensor = "image"
color = "rgb"
ops = [{ op = "resize_stretch", width = 8, height = 8 }]
[models.model.head]
op = "class_head"
tensor = "scores"
labels = "assets/labels.txt"
activation = "none"
[assets."assets/labels.txt"]
kind = "text"
file = "labels.txt"
"""
    (recipe / "recipe.toml").write_text(text)
    code = main(["export", str(recipe), "-o", str(folder / "r.edge"), "--json"])
    body = json.loads(capsys.readouterr().out)
    assert (code, [v["recipe"] for v in body["variants"]]) == (0, ["as_it_is"])
    assert edgekit.open_bundle(folder / "r.edge").manifest.variants[0].models["model"].input.dtype == "uint8"
    (recipe / "recipe.toml").write_text(text.replace('tensor = "scores"', 'tensor = "probabilities"'))
    assert main(["export", str(recipe), "-o", str(folder / "r.edge"), "--json"]) == 2
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert "the outputs probabilities, got image float32 1×8×8×3 and scores float32 1×3" in message


def test_a_latency_is_a_limit_of_wrapped_files_too(folder, capsys):
    code, body, out = export(capsys, folder, "int8", "--max-latency", "1us")
    assert (code, body["verdict"], out.exists()) == (1, "NONE", False)
    assert "the latency does not hold" in body["refusal"]
    assert body["relaxation"] == f"--max-latency {body['least_latency_ms']:g}ms"
    code, body, _ = export(capsys, folder, "int8", "--max-latency", "10s")
    latency = body["variants"][0]["latency"]
    assert (code, latency["of_full_precision"], latency["estimated_ms"]) == (0, None, None)
    other = "pi5" if target_here(this_machine()).name != "pi5" else "pi4"
    code, body, _ = export(capsys, folder, "int8", "--max-latency", "10s", "--target", other)
    assert (code, "estimated of ONNX" in body["error"]["message"]) == (2, True)
