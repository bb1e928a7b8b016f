"""Families of pictures as transformers has them: true architectures at a small size, random weights."""

import json
import sys

import cv2
import numpy as np
import pytest

from edgekit.cli import main
from edgekit.errors import ModelError, UsageError
from edgekit.processing.detection import detect
from edgekit_export.conformance.generated import write_data
from edgekit_export.conformance.image_families import IMAGE_FAMILIES, LABELS
from edgekit_export.convert.session import session_of
from edgekit_export.golden import draw_scene
from edgekit_export.parity import parity
from edgekit_export.quantize.choose import recipe_for
from edgekit_export.quantize.precision import reduce_precision
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.resolve import resolve
from edgekit_export.variants import full_precision

pytest.importorskip("transformers")
PARITY = 1e-3
QUICK = ("ViT", "MobileNetV1", "ResNet", "ConvNeXt", "DETR", "RT-DETR")
"""``python -m edgekit_export.conformance`` measures them all, in minutes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Writes a family once."""
    made = {}

    def of(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp("family") / name.lower().replace(" ", "-")
            made[name].mkdir()
            IMAGE_FAMILIES[name].write(made[name])
        return made[name]

    return of


@pytest.fixture(scope="module")
def source(folder):
    """Resolves a family once."""
    made = {}

    def of(name):
        if name not in made:
            made[name] = resolve(str(folder(name)))
        return made[name]

    return of


def _feeds(shape, count=3):
    size = shape[3], shape[2]
    return [{"image": cv2.resize(draw_scene(seed), size)[np.newaxis]} for seed in range(count)]


@pytest.mark.parametrize("name", QUICK)
def test_parity_and_int8(source, name):
    graph = source(name).graphs["model"]
    full, feeds = full_precision(graph), _feeds(graph.spec.shape)
    recipe = recipe_for(full, graph.spec.quantize)
    reduced = reduce_precision(full, recipe, feeds, lambda *_: None)
    stages = parity(graph, full, reduced.model, feeds)
    figures = f"parity {stages.export['all'].max_abs:.1e}, int8 {stages.reduction['all'].sqnr_db} dB"
    sys.stdout.write(f"{name}: {figures}, {recipe.name}\n")
    assert stages.export["all"].max_abs <= PARITY
    assert stages.export["none"].max_abs <= PARITY
    assert stages.reduction["all"].sqnr_db > 15
    assert len(reduced.model.SerializeToString()) < 0.75 * len(full.SerializeToString())


def test_what_comes_of_a_classifier(source):
    made = source("MobileNetV1")
    assert (made.task, made.assets["assets/labels.txt"]) == (
        "classify",
        "".join(f"{n}\n" for n in LABELS).encode(),
    )
    assert made.graphs["model"].spec.head.activation == "softmax"
    assert (made.card.license, made.card.trained_on) == ("apache-2.0", "not stated")
    assert made.card.notes == "its README does not state: datasets"


@pytest.mark.parametrize("name", ["DETR", "RT-DETR"])
def test_objects_are_those_of_transformers(source, folder, name):
    """Scores, classes and boxes as ``post_process_object_detection`` gives them."""
    torch = pytest.importorskip("torch")
    import transformers

    graph = source(name).graphs["model"]
    head = graph.spec.head
    (feed,) = _feeds(graph.spec.shape, 1)
    session = session_of(full_precision(graph))
    outputs = dict(zip([o.name for o in session.outputs], session.run(feed), strict=True))
    height, width = graph.spec.shape[2:]
    ours = detect(outputs, head, len(LABELS), (width, height))

    kind = IMAGE_FAMILIES[name]
    processor = getattr(transformers, f"{kind.processor}ImageProcessorPil")(**kind.settings)
    network = getattr(transformers, f"{kind.model}ForObjectDetection").from_pretrained(folder(name)).eval()
    pixels = processor(feed["image"][0], size={"height": height, "width": width}, return_tensors="pt")[
        "pixel_values"
    ]
    with torch.inference_mode():
        given = network(pixel_values=pixels)
    (theirs,) = processor.post_process_object_detection(given, head.min_score, [(height, width)])
    order = np.argsort(-theirs["scores"].numpy(), kind="stable")[: head.max_objects]
    assert len(ours.score) == len(order)
    assert np.abs(ours.score - theirs["scores"].numpy()[order]).max() <= PARITY
    assert np.abs(ours.xyxy - theirs["boxes"].numpy()[order]).max() <= 0.05
    assert np.array_equal(ours.index, theirs["labels"].numpy()[order])


def test_all_the_way_on_the_command_line(folder, tmp_path, capsys):
    calibration, evaluation = write_data("picture", tmp_path / "data")
    bundle = tmp_path / "vit.edge"
    export = ["export", str(folder("ViT")), "-o", str(bundle), "--recipe", "int8", "--json"]
    assert main([*export, "--calib", str(calibration), "--eval", str(evaluation), "--limit", "6"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["variants"][0]["name"] == "int8"
    picture = sorted(evaluation.iterdir())[0]
    assert main(["run", str(bundle), str(picture), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["result"]["top"]) == 5
    against = ["--against", told["reference"], "--data", str(evaluation), "--limit", "6", "--json"]
    assert main(["validate", str(bundle), *against]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["n"] == 6


def _changed(folder, tmp_path, **changes):
    """A copy with another config.json."""
    made = tmp_path / "copy"
    made.mkdir()
    for file in folder.iterdir():
        (made / file.name).write_bytes(file.read_bytes())
    config = json.loads((made / "config.json").read_text())
    (made / "config.json").write_text(json.dumps({**config, **changes}))
    return made


def test_weights_that_are_missing_are_not_made_up(folder, tmp_path):
    deeper = _changed(folder("ViT"), tmp_path, num_hidden_layers=3)
    with pytest.raises(ModelError, match=r"the weights lack vit.* and \d+ more"):
        resolve(str(deeper))


def test_weights_of_another_shape(folder, tmp_path):
    wider = _changed(folder("ViT"), tmp_path, id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1})
    with pytest.raises(ModelError, match=r"classifier|cannot be loaded|another shape"):
        resolve(str(wider))


@pytest.mark.parametrize(("start", "end"), [(0, 0), (0, 4), (0, 50), (0, -100), (8, None)])
def test_damaged_weights(folder, tmp_path, start, end):
    made = _changed(folder("ViT"), tmp_path)
    weights = made / "model.safetensors"
    data = weights.read_bytes()[start:end]
    weights.write_bytes(data)
    told = rf"model\.safetensors: no whole safetensors file \({len(data)} bytes\): .*header"
    with pytest.raises(ModelError, match=told) as caught:
        resolve(str(made))
    assert caught.value.remedy.startswith("fetch it again")


def test_a_repository_with_code_of_its_own(folder, tmp_path):
    made = _changed(
        folder("ViT"), tmp_path, architectures=["EvilForImageClassification"],
        auto_map={"AutoModelForImageClassification": "evil.EvilForImageClassification"},
    )  # fmt: skip
    (made / "evil.py").write_text("raise SystemExit('ran')")
    with pytest.raises(ModelError, match="has no class EvilForImageClassification"):
        resolve(str(made))


def test_regression_is_no_classifier(folder, tmp_path):
    with pytest.raises(ModelError, match="problem_type"):
        resolve(str(_changed(folder("ViT"), tmp_path, problem_type="regression")))


@pytest.mark.parametrize(
    "asked",
    [BareInput(normalize="imagenet"), BareInput(size=32), BareInput(color="bgr"), BareInput(task="detect")],
)
def test_options_against_the_folder(folder, asked):
    with pytest.raises(UsageError, match="leave it out"):
        resolve(str(folder("ViT")), asked)


def test_a_detector_is_not_cropped(folder):
    with pytest.raises(UsageError, match="stretch or letterbox"):
        resolve(str(folder("DETR")), BareInput(resize="crop"))
