"""``edgekit export --locked``: the model files again, or what differs; and locks that strangers wrote."""

import json
import shutil
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edgekit import open_bundle
from edgekit.bundle.manifest import Model, Variant
from edgekit.bundle.writer import write_bundle
from edgekit.cli import main
from edgekit.errors import BundleError, EdgekitError
from edgekit_export.locked import Locked, plans_of
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.recipe import HALF_WEIGHTS, Recipe, recipe_table
from edgekit_export.variants import Plan
from tests.bundle.samples import manifest

CONV = "conv0"


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """Two folders of drawn pictures: calibration and evaluation."""
    folder = tmp_path_factory.mktemp("noise")
    for name, seed in (("calib", 1), ("eval", 2)):
        (folder / name).mkdir()
        rng = np.random.default_rng(seed)
        for i in range(12):
            coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
            picture = cv2.resize(coarse, (40, 30), interpolation=cv2.INTER_LINEAR_EXACT)
            cv2.imwrite(str(folder / name / f"{i:02}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory, noise, small_classifier):
    """A bundle to make again: int8 and fp16, of options that change its graph and its samples; and what it is of."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "small.onnx").write_bytes(small_classifier().SerializeToString())
    (folder / "labels.txt").write_text("a\nb\nc\n")
    data = ["--calib", noise / "calib", "--eval", noise / "eval", "--limit", "9"]
    bare = [
        "--normalize",
        "minus1to1",
        "--resize",
        "stretch",
        "--color",
        "bgr",
        "--labels",
        folder / "labels.txt",
    ]
    assert main(["export", *map(str, (folder / "small.onnx", "-o", folder / "a.edge", *data, *bare))]) == 0
    return folder


@pytest.fixture
def model(made, tmp_path):
    return Path(shutil.copy(made / "small.onnx", tmp_path))


@pytest.fixture
def first(made, tmp_path):
    for name in ("a.reference.edge", "labels.txt"):
        shutil.copy(made / name, tmp_path)
    return Path(shutil.copy(made / "a.edge", tmp_path))


def run(capsys, model, noise, out, *more, calib="calib"):
    """Exit code, what was printed as JSON, and on stderr."""
    data = ["--calib", noise / calib, "--eval", noise / "eval"]
    code = main(["export", *map(str, (model, "-o", out, *data, *more)), "--json"])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, json.loads(captured.out), captured.err


def again(capsys, model, noise, locked, *more, **where):
    labels = ["--labels", locked.parent / "labels.txt"]
    return run(capsys, model, noise, locked.parent / "b.edge", "--locked", locked, *labels, *more, **where)


def changed(path, change):
    """The bundle with another manifest, its members as they are."""
    bundle = open_bundle(path)
    members = {file.path: bundle.read(file.path) for file in bundle.manifest.files}
    write_bundle(path, change(replace(bundle.manifest, files=())), members)
    return path


def with_lock(path, **fields):
    return changed(path, lambda m: replace(m, lock=replace(m.lock, **fields)))


def with_recipe(path, **said):
    def change(m):
        table = {**m.lock.recipes["int8"]["model"], **said}
        recipes = {**m.lock.recipes, "int8": {"model": table}}
        return replace(m, lock=replace(m.lock, recipes=recipes))

    return changed(path, change)


def test_the_same_bytes(first, model, noise, tmp_path, capsys):
    lock = open_bundle(first).manifest.lock
    assert set(lock.recipes) == {"int8", "fp16"}
    assert {**lock.options, "labels": ""} == {
        "normalize": "minus1to1",
        "resize": "stretch",
        "color": "bgr",
        "limit": "9",
        "labels": "",
    }
    assert str(tmp_path) not in json.dumps(lock.options) + lock.source
    code, body, err = again(capsys, model, noise, first)
    assert (code, body["reproduced"], body["differs"], body["tools"]) == (0, True, [], [])
    assert "warning" not in err
    assert (tmp_path / "b.edge").read_bytes() == first.read_bytes()
    assert (tmp_path / "b.reference.edge").read_bytes() == (tmp_path / "a.reference.edge").read_bytes()
    elsewhere = shutil.copytree(noise / "calib", tmp_path / "elsewhere")
    argv = ["export", model, "-o", tmp_path / "b.edge", "--locked", first, "--calib", elsewhere]
    assert (
        main([*map(str, argv), "--labels", str(tmp_path / "labels.txt")]) == 0
    )  # no --eval: nothing is measured
    out = capsys.readouterr().out
    assert "reproduced: 2 model files, byte for byte" in out
    assert "not measured" in out


def test_an_allocation_by_layer_is_made_again_without_a_search(first, model, noise, tmp_path, capsys):
    """As a solver leaves it: modes in the lock, which no recipe of the source says."""
    with_recipe(first, modes={CONV: "weight12", "scores": "half"})
    code, body, _ = again(capsys, model, noise, first)
    assert (code, [one["member"] for one in body["differs"]]) == (1, ["int8/model.onnx"])
    found = body["differs"][0]
    assert found["made"]["bytes"] != found["locked"]["bytes"]
    assert len(found["made"]["sha256"]) == len(found["locked"]["sha256"]) == 64
    assert "those of the lock" in body["causes"][0]
    modes = {mode: entry["layers"] for mode, entry in body["variants"][0]["layers"]["model"].items()}
    assert modes == {"weight12": 1, "half": 1, "int8": 1}
    (tmp_path / "b.edge").rename(tmp_path / "mixed.edge")  # the new bundle is a good one: its own lock holds
    code, body, _ = again(capsys, model, noise, tmp_path / "mixed.edge")
    assert (code, body["reproduced"]) == (0, True)


def test_what_a_search_found_is_made_again(model, noise, tmp_path, capsys):
    more = ["--normalize", "0to1", "--recipe", "mixed", "--max-size", "37kB"]
    assert run(capsys, model, noise, tmp_path / "a.edge", *more)[0] == 0
    lock = open_bundle(tmp_path / "a.edge").manifest.lock
    modes = lock.recipes["mixed"]["model"]["modes"]
    assert len(modes) > 0
    code, body, _ = run(capsys, model, noise, tmp_path / "b.edge", "--locked", tmp_path / "a.edge")
    assert (code, body["reproduced"], body["variants"][0]["name"]) == (0, True, "mixed")
    again = open_bundle(tmp_path / "b.edge").manifest.lock
    assert again.recipes["mixed"]["model"]["modes"] == modes


def test_a_variant_that_was_left_out_is_not_asked_for(model, noise, tmp_path, capsys):
    more = ["--normalize", "0to1", "--recipe", "fp16,int8", "--max-size"]
    code, body, _ = run(capsys, model, noise, tmp_path / "a.edge", *more, "2kB")
    code, body, _ = run(capsys, model, noise, tmp_path / "a.edge", *more, body["smallest_bytes"])
    assert (code, [v["name"] for v in body["variants"]]) == (0, ["int8"])
    lock = open_bundle(tmp_path / "a.edge").manifest.lock
    assert (lock.precisions, set(lock.recipes)) == (("fp16", "int8"), {"int8"})
    code, body, _ = run(capsys, model, noise, tmp_path / "b.edge", "--locked", tmp_path / "a.edge")
    assert (code, body["reproduced"], [v["name"] for v in body["variants"]]) == (0, True, ["int8"])
    assert (tmp_path / "b.edge").read_bytes() == (tmp_path / "a.edge").read_bytes()


def test_another_picture_is_refused_with_both_digests(first, model, noise, tmp_path, capsys):
    swapped = noise / "swapped"
    shutil.copytree(noise / "calib", swapped)
    cv2.imwrite(str(swapped / "03.png"), np.full((30, 40, 3), 99, np.uint8))
    lock = open_bundle(first).manifest.lock
    code, body, _ = again(capsys, model, noise, first, calib="swapped")
    assert (code, body["error"]["kind"]) == (2, "usage")
    message = body["error"]["message"]
    assert (
        f"calibration data: got 12 samples, SHA-256 {message.split('got 12 samples, SHA-256 ')[1][:64]}"
        in message
    )
    assert f"expected 12 samples, SHA-256 {lock.calibration_sha256}" in message
    assert "1 of their sources are not in the lock" in message
    assert "--calib" in body["error"]["remedy"]
    argv = [
        "export",
        model,
        "-o",
        tmp_path / "b.edge",
        "--locked",
        first,
        "--labels",
        tmp_path / "labels.txt",
    ]
    assert main([*map(str, argv), "--json"]) == 2
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert f"calibration data: got none, expected 12 samples, SHA-256 {lock.calibration_sha256}" in message
    shutil.rmtree(swapped)
    assert not (tmp_path / "b.edge").exists()


def test_other_evaluation_data_are_refused(first, model, noise, tmp_path, capsys):
    lock = open_bundle(first).manifest.lock
    more = tmp_path / "more"
    more.mkdir()
    cv2.imwrite(str(more / "x.png"), np.full((30, 40, 3), 99, np.uint8))
    code, body, _ = again(capsys, model, noise, first, "--eval", more)
    assert code == 2
    assert f"expected 9 samples, SHA-256 {lock.evaluation_sha256}" in body["error"]["message"]
    assert "edgekit validate" in body["error"]["remedy"]


def test_other_weights_are_refused_with_both_digests(first, model, noise, tmp_path, capsys, small_classifier):
    lock = open_bundle(first).manifest.lock
    model.write_bytes(small_classifier(opset=16).SerializeToString())
    code, body, _ = again(capsys, model, noise, first)
    assert code == 2
    assert "weights of 'model': got SHA-256 " in body["error"]["message"]
    assert f"expected SHA-256 {lock.weights['model']}" in body["error"]["message"]
    assert "(small.onnx)" in body["error"]["remedy"]


def test_other_tools_are_a_warning_and_the_likely_cause(first, model, noise, capsys):
    lock = open_bundle(first).manifest.lock
    with_lock(first, tools={**lock.tools, "numpy": "0.1", "gone": "3"})
    code, body, err = again(capsys, model, noise, first)
    assert (code, body["reproduced"]) == (0, True)
    here = lock.tools["numpy"]
    assert f"gone missing (the lock: 3), numpy {here} (the lock: 0.1)" in err
    assert {"name": "numpy", "locked": "0.1", "here": here} in body["tools"]
    with_recipe(first, rounding="nearest")
    code, body, _ = again(capsys, model, noise, first)
    assert (code, body["reproduced"]) == (1, False)
    assert body["causes"] == [f"gone missing (the lock: 3), numpy {here} (the lock: 0.1)"]


def test_a_gate_still_refuses(first, model, noise, tmp_path, capsys):
    code, body, _ = again(capsys, model, noise, first, "--max-drop", "1%")
    assert (code, body["reproduced"], body["differs"]) == (1, None, [])
    assert not (tmp_path / "b.edge").exists()


@pytest.mark.parametrize(
    ("change", "more", "message"),
    [
        ({"formats": ()}, (), "its lock is an old one"),
        ({"formats": ("tflite", "onnx")}, (), "formats: got tflite, onnx"),
        ({"formats": ("tflite",)}, (), "got onnx, expected variants in tflite"),
        ({"recipes": {}}, (), "variant 'int8': recipes: got nothing, expected one for each of 'model'"),
        ({"options": {"wild": "1"}}, (), "option 'wild'"),
        ({"options": {"limit": "-3"}}, (), "count"),
        ({"options": {"input-size": "many"}}, (), "count"),
        ({"options": {"resize": "tile"}}, (), "--resize: got 'tile'"),
        ({"options": {"labels": "0"}}, (), "labels: got SHA-256"),
        ({"options": {}}, (), "labels: got SHA-256"),
        ({}, ("--recipe", "int8"), "--recipe beside --locked"),
        ({}, ("--format", "onnx"), "--format beside --locked"),
        ({}, ("--max-size", "5MB"), "--max-size beside --locked"),
        ({}, ("--limit", "3"), "--limit beside --locked"),
        ({}, ("--normalize", "0to1"), "--normalize beside --locked"),
        ({}, ("--input-size", "16"), "--input-size beside --locked"),
        ({}, ("--color", "bgr"), "--color beside --locked"),
        ({}, ("-o", "{folder}/a.edge"), "would be written over"),
    ],
)
def test_what_is_refused_before_anything_is_made(first, model, noise, capsys, change, more, message):
    if change.get("options"):
        change = {"options": {**open_bundle(first).manifest.lock.options, **change["options"]}}
    path = with_lock(first, **change)
    before = path.read_bytes()
    code, body, _ = again(capsys, model, noise, path, *(word.format(folder=path.parent) for word in more))
    assert code == 2
    assert message in body["error"]["message"]
    assert "\n" not in body["error"]["message"]
    assert body["error"]["remedy"] or "count" in message
    assert path.read_bytes() == before
    assert not (path.parent / "b.edge").exists()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"wild": "1"}, "unknown key 'wild'"),
        ({"modes": {"no-such-layer": "half"}}, "no layer 'no-such-layer'"),
        ({"modes": {CONV: "weight99"}}, "modes.conv0: got 'weight99'"),
        ({"modes": {f"layer{i}": "half" for i in range(30_000)}}, "no layer 'layer0'"),
        ({"samples": "many"}, "samples: got 'many'"),
        ({"damping": 0.0}, "damping: expected above 0"),
        ({"name": "Not A Name"}, "recipe"),
        ({"mode": "dynamic", "modes": {CONV: "dynamic"}}, "onnxruntime cannot load it"),
        ({"wide": ("conv0", "conv1", "scores")}, ""),
        ({"keep_below_db": 1e300}, ""),
        ({"samples": 2**53 - 1}, ""),
    ],
)
def test_a_strangers_recipe_ends_in_a_bundle_or_an_error(first, model, noise, capsys, said, message):
    with_recipe(first, **said)
    code, body, _ = again(capsys, model, noise, first)
    assert code == (2 if message else int(not body["reproduced"]))
    assert message in body.get("error", {"message": ""})["message"]


def test_plans_join_the_formats_of_one_recipe():
    graph = manifest().variants[0].models["model"]
    tflite = replace(graph, path="m.tflite", format="tflite", external=())
    mixed = Recipe(name="mixed", mode=Mode.WEIGHT8, modes=((CONV, Mode.HALF),))
    whole = _of(
        ("int8", "int8", graph, Recipe()),
        ("int8-tflite", "int8", tflite, Recipe()),
        ("mixed", "int8", graph, mixed),
        ("mixed-tflite", "int8", tflite, Recipe()),
        ("fp16-tflite", "fp16", tflite, HALF_WEIGHTS),
        ("fp32", "fp32", graph, None),
    )
    assert plans_of(whole, "b") == (
        Plan("int8", ("onnx", "tflite"), "int8", {"model": Recipe()}),
        Plan("int8", ("onnx",), "mixed", {"model": mixed}),
        Plan("int8", ("tflite",), "mixed", {"model": Recipe()}),
        Plan("fp16", ("tflite",), "fp16", {"model": HALF_WEIGHTS}),
        Plan("fp32", ("onnx",), "fp32", {}),
    )


@pytest.mark.parametrize(
    ("plans", "formats", "wraps"),
    [((), ("onnx",), False), ((Plan("fp16", ("tflite",)),), ("onnx",), True)],
)
def test_plans_that_cannot_be_followed(plans, formats, wraps):
    with pytest.raises(BundleError, match="b.edge: got .*, expected variants in onnx"):
        Locked(Path("b.edge"), manifest(), plans).plans_in(formats, wraps=wraps)
    assert Locked(Path("b.edge"), manifest(), ()).plans_in(formats, wraps=True) == []


def test_graphs_of_two_formats_are_no_variant():
    graph = manifest().variants[0].models["model"]
    tflite = replace(graph, path="m.tflite", format="tflite", external=())
    whole = replace(manifest(), variants=(Variant("v", "r", "fp32", {"a": graph, "b": tflite}, 0),))
    with pytest.raises(BundleError, match="variant 'v': expected one format, got onnx, tflite"):
        plans_of(whole, "b.edge")


def _of(*variants: tuple[str, str, Model, Recipe | None]):
    entries = tuple(Variant(n, "r", precision, {"model": model}, 0) for n, precision, model, _ in variants)
    recipes = {n: {"model": recipe_table(recipe)} for n, _, _, recipe in variants if recipe is not None}
    whole = manifest()
    return replace(whole, variants=entries, lock=replace(whole.lock, recipes=recipes))


_TEXTS = st.sampled_from(
    ["", "conv0", "int8", "half", "mse", "output", "as_onnx", "weight12", "\n", "x" * 5000]
)
_VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    _TEXTS,
    st.lists(_TEXTS).map(tuple),
    st.dictionaries(_TEXTS, _TEXTS),
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*(f.name for f in fields(Recipe)), "wild"]), _VALUES))
def test_any_table_is_a_plan_or_an_error_of_one_line(table):
    whole = _of(("int8", "int8", manifest().variants[0].models["model"], Recipe()))
    whole = replace(whole, lock=replace(whole.lock, recipes={"int8": {"model": table}}))
    try:
        (plan,) = plans_of(whole, "b.edge")
    except EdgekitError as error:
        assert "b.edge: lock: variant 'int8', graph 'model'" in error.message
        assert len(error.message) < 400
    else:
        assert {**recipe_table(plan.recipes["model"]), **table}.keys() >= table.keys()
