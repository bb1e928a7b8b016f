from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from edgekit.bundle.check import check_manifest, member_uses, model_paths, variant_bytes
from edgekit.bundle.detect_head import AbsoluteBoxes, DetectHead, DistanceBoxes, Level, Part, SizeBoxes
from edgekit.bundle.manifest import (
    CenterCrop,
    CtcHead,
    DbHead,
    ImageInput,
    Normalize,
    ResizeHeight,
    ResizeMultiple,
    head_tensors,
)
from edgekit.bundle.reader import open_bundle
from edgekit.errors import BundleError
from tests.bundle.samples import MODEL_PATH, WEIGHTS_PATH, drop, one_model


@pytest.fixture
def manifest(sample):
    return open_bundle(sample).manifest


def with_file(manifest, path, /, **changes):
    files = tuple(replace(f, **changes) if f.path == path else f for f in manifest.files)
    return replace(manifest, files=files)


def with_variant(manifest, **changes):
    return replace(manifest, variants=(replace(manifest.variants[0], **changes),))


def with_model(manifest, **changes):
    return with_variant(manifest, models={"model": one_model(**changes)})


def with_input(manifest, *ops, dtype="uint8"):
    return with_model(manifest, input=ImageInput("x", ops, "rgb", dtype))


def with_detector(manifest, boxes, level=(), **changes):
    levels = (replace(Level(Part("s"), Part("b")), **dict(level)),)
    head = DetectHead(levels, "labels.txt", boxes, **{"min_score": 0.1, **changes})
    return with_model(manifest, head=head)


def with_golden(manifest, **changes):
    return replace(manifest, golden=(replace(manifest.golden[0], **changes),))


def with_expected(manifest, **changes):
    return with_golden(manifest, expected=(replace(manifest.golden[0].expected[0], **changes),))


def without_file(manifest, path):
    return replace(manifest, files=tuple(f for f in manifest.files if f.path != path))


BROKEN = {
    "unlisted member": (lambda m: without_file(m, "labels.txt"), "'labels.txt' is referred to"),
    "unreferenced member": (lambda m: replace(m, golden=()), "not referred to"),
    "unaligned model": (lambda m: with_file(m, MODEL_PATH, aligned=False), "not aligned"),
    "unaligned external data": (lambda m: with_file(m, WEIGHTS_PATH, aligned=False), "not aligned"),
    "two uses of a member": (lambda m: with_golden(m, input="labels.txt"), "used as text and as passage"),
    "golden input of no kind": (lambda m: with_golden(m, input="golden/0.bin"), "expected it to end in .png"),
    "path rule": (lambda m: with_file(m, "labels.txt", path="con"), "device name"),
    "card of another task": (lambda m: replace(m, card=replace(m.card, task="ocr")), "card.task"),
    "variant twice": (lambda m: replace(m, variants=m.variants * 2), "names are int8, int8"),
    "variant bytes": (lambda m: with_variant(m, bytes=1), "bytes is 1, expected the sum"),
    "drop interval": (lambda m: with_variant(m, drop=drop(interval=(0.5, 0.1))), "interval is [0.5, 0.1]"),
    "drop infinite": (
        lambda m: with_variant(m, drop=drop(value=math.inf)),
        "is inf, expected a finite number",
    ),
    "interval not a number": (lambda m: with_variant(m, drop=drop(interval=(math.nan, 1.0))), "is nan"),
    "external twice": (
        lambda m: with_model(m, external=(WEIGHTS_PATH, WEIGHTS_PATH)),
        "expected each path once",
    ),
    "external outside": (lambda m: with_model(m, path="labels.txt"), "used as"),
    "external of tflite": (lambda m: with_model(m, format="tflite"), "tflite has no external data"),
    "normalize not last": (
        lambda m: with_input(m, Normalize((0, 0, 0), (1, 1, 1)), CenterCrop(2, 2), dtype="float32"),
        "normalize: expected it last",
    ),
    "normalize to uint8": (
        lambda m: with_input(m, Normalize((0, 0, 0), (1, 1, 1))),
        "before a float32 input",
    ),
    "std of zero": (
        lambda m: with_input(m, Normalize((0, 0, 0), (1, 0, 1)), dtype="float32"),
        "std is (1, 0, 1)",
    ),
    "sides": (lambda m: with_input(m, ResizeMultiple(900, 800, 32)), "resize_multiple"),
    "multiple": (lambda m: with_input(m, ResizeMultiple(1, 31, 32)), "resize_multiple"),
    "widths": (lambda m: with_input(m, ResizeHeight(48, 400, 320, 8, 0)), "resize_height"),
    "peaks without a map": (
        lambda m: with_detector(m, AbsoluteBoxes("xyxy", "pixel"), peaks=True),
        "peaks: expected boxes relative to cells",
    ),
    "peaks among anchors": (
        lambda m: with_detector(m, SizeBoxes(), {"anchors": 2}, peaks=True),
        "peaks: expected one position a cell",
    ),
    "blended without a threshold": (
        lambda m: with_detector(m, SizeBoxes(), overlaps="blend"),
        "overlaps: expected iou_threshold",
    ),
    "blended by nothing": (
        lambda m: with_detector(m, SizeBoxes(), overlaps="blend", iou_threshold=0.5, min_score=0.0),
        "overlaps: expected iou_threshold",
    ),
    "offset of other boxes": (
        lambda m: with_detector(m, DistanceBoxes(), {"offset": Part("o")}),
        "levels[0]: offset: expected only for boxes of code sizes",
    ),
    "boxes through a sigmoid": (
        lambda m: with_detector(m, SizeBoxes(), {"boxes": Part("b", activation="sigmoid")}),
        "levels[0]: boxes: activation is sigmoid",
    ),
    "softmax of one channel": (
        lambda m: with_detector(m, SizeBoxes(), {"objectness": Part("p", activation="softmax")}),
        "one channel has no softmax",
    ),
    "powers of nothing": (
        lambda m: with_detector(m, SizeBoxes(), score_power=0.5),
        "powers are 1 and 0.5, expected 1 without objectness",
    ),
    "golden of no variant": (
        lambda m: with_golden(m, variant="fp16"),
        "variant 'fp16', expected one of 'int8'",
    ),
    "question about nothing": (
        lambda m: with_golden(m, question="why?"),
        "question is 'why?', expected no question",
    ),
    "picture without a question": (
        lambda m: replace(m, task="vision_language", card=replace(m.card, task="vision_language")),
        "question is '', expected a question about the picture",
    ),
    "golden margin": (lambda m: with_golden(m, margin=-0.1), "margin is -0.1"),
    "golden role": (lambda m: with_expected(m, role="detect"), "role 'detect'"),
    "probe of half a value": (lambda m: with_file(m, "golden/0.bin", size=15), "15 bytes"),
    "probe longer than output": (lambda m: with_expected(m, shape=(1, 3)), "from 1 to 3"),
    "probe of nothing": (lambda m: with_file(m, "golden/0.bin", size=0), "has 0 bytes"),
    "evidence of no variant": (
        lambda m: replace(m, evidence=(replace(m.evidence[0], variant="x"),)),
        "evidence[0]: variant 'x'",
    ),
    "evidence interval": (
        lambda m: replace(m, evidence=(replace(m.evidence[0], drop=drop(interval=(2, 1))),)),
        "evidence[0].drop",
    ),
    "escape sequence": (
        lambda m: replace(m, card=replace(m.card, title="\x1b[2Jnice")),
        "card, title: holds the control character U+001B",
    ),
    "bidi override": (lambda m: replace(m, card=replace(m.card, cannot=("\u202ex",))), "U+202E"),
    "control character in a key": (
        lambda m: replace(m, lock=replace(m.lock, tools={"a\x07": "1"})),
        "key: holds the control character U+0007",
    ),
}


def test_the_sample_is_fine(manifest):
    check_manifest(manifest)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_manifests_are_refused(manifest, name):
    change, reason = BROKEN[name]
    with pytest.raises(BundleError) as caught:
        check_manifest(change(manifest))
    assert reason in caught.value.message
    assert caught.value.message.startswith("manifest.json: ")
    assert caught.value.remedy


def test_external_data_below_the_model_only(manifest):
    moved = with_file(manifest, MODEL_PATH, path="models/deep/model.onnx")
    with pytest.raises(BundleError, match="outside the model's folder 'models/deep'"):
        check_manifest(with_model(moved, path="models/deep/model.onnx"))


def test_a_shared_model_has_one_list_of_external_data(manifest):
    other = replace(manifest.variants[0], name="b", models={"model": one_model(external=())}, bytes=0)
    size = next(f.size for f in manifest.files if f.path == MODEL_PATH)
    shared = replace(manifest, variants=(manifest.variants[0], replace(other, bytes=size)))
    with pytest.raises(BundleError, match="other external data than elsewhere"):
        check_manifest(shared)


def test_lines_and_ideographic_spaces_are_text(manifest):
    check_manifest(with_golden(manifest, decision="出口\u3000左\n二行"))


def test_variant_bytes_counts_shared_files_once():
    models = [one_model(), one_model(path="models/int8/b.onnx")]
    sizes = {MODEL_PATH: 10, "models/int8/b.onnx": 20, WEIGHTS_PATH: 5}
    assert variant_bytes(models, sizes) == 35


def test_detectors_need_no_texts(manifest):
    graph = one_model(head=DbHead("p", 0.3, 0.6, 1.5, 3, 1000), external=())
    files = tuple(f for f in manifest.files if f.path == MODEL_PATH)
    variant = replace(manifest.variants[0], models={"detect": graph}, bytes=files[0].size)
    cropped = replace(graph, input=ImageInput("x", (ResizeMultiple(640, 960, 32), CenterCrop(2, 2)), "bgr"))
    variant = replace(variant, models={"detect": cropped})
    check_manifest(replace(manifest, files=files, variants=(variant,), golden=(), evidence=()))


def test_a_detector_of_objects(manifest):
    objects = with_detector(manifest, SizeBoxes(), {"offset": Part("o"), "objectness": Part("p")}, peaks=True)
    check_manifest(objects)
    head = one_model(head=objects.variants[0].models["model"].head).head
    assert head_tensors(head) == ("s", "b", "p", "o")
    assert member_uses(objects)["labels.txt"] == "text"


def test_uses(manifest):
    assert member_uses(manifest) == {
        MODEL_PATH: "onnx",
        WEIGHTS_PATH: "external",
        "labels.txt": "text",
        "golden/0.png": "picture",
        "golden/0.bin": "probe",
    }
    assert model_paths(manifest) == {MODEL_PATH, WEIGHTS_PATH}


def test_alphabets_and_notices(manifest):
    head = CtcHead("y", "alphabet.txt", 0, True)
    noted = replace(manifest, card=replace(manifest.card, notices=("NOTICE.md",)))
    uses = member_uses(with_model(noted, head=head))
    assert (uses["alphabet.txt"], uses["NOTICE.md"]) == ("text", "notice")
