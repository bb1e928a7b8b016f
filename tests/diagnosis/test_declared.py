from __future__ import annotations

import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import (
    CenterCrop,
    ClassHead,
    CtcHead,
    ImageInput,
    Model,
    Normalize,
    ResizeHeight,
    ResizeShorter,
    Variant,
)
from edgekit.diagnosis.declared import declared, line_difference

INPUT = ImageInput(
    "x", (ResizeShorter(256), CenterCrop(224, 224), Normalize((1, 2, 3), (4, 5, 6))), "rgb", "float32"
)
CLASSIFIER = Model("r/m.onnx", "onnx", INPUT, ClassHead("y", "labels.txt", "softmax"))
READER = Model(
    "r/m.onnx",
    "onnx",
    ImageInput("x", (ResizeHeight(48, 320, 3200, 32, 127),), "bgr"),
    CtcHead("y", "abc.txt", 0, True),
)


def variant(model: Model, role: str = "model") -> Variant:
    return Variant("v", "r", "int8", {role: model}, 1)


def changed_input(model: Model, **changes: object) -> Model:
    return replace(model, input=replace(model.input, **changes))


def ops(index: int, **changes: object) -> tuple:
    return tuple(replace(op, **changes) if i == index else op for i, op in enumerate(INPUT.ops))


@pytest.mark.parametrize(
    ("stage", "candidate", "evidence"),
    [
        ("channel order", changed_input(CLASSIFIER, color="bgr"), "declares rgb, the candidate bgr"),
        ("resize", changed_input(CLASSIFIER, ops=ops(0, size=224)), "size=256"),
        ("resize", changed_input(CLASSIFIER, ops=ops(0, algorithm="pillow_bilinear")), "pillow_bilinear"),
        ("crop", changed_input(CLASSIFIER, ops=ops(1, width=220)), "width=220"),
        ("mean", changed_input(CLASSIFIER, ops=ops(2, mean=(3, 2, 1))), "(1, 2, 3), the candidate (3, 2, 1)"),
        ("std", changed_input(CLASSIFIER, ops=ops(2, std=(4, 5, 6.5))), "(4, 5, 6.5)"),
    ],
)
def test_a_changed_declaration_is_named(stage: str, candidate: Model, evidence: str) -> None:
    (finding,) = declared(variant(CLASSIFIER), variant(candidate), {}, {})
    assert (finding.stage, finding.role, finding.restored) == (stage, "model", None)
    assert evidence in finding.evidence


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("CTC alphabet", {"blank": 9}),
        ("CTC alphabet", {"space_last": False}),
        ("min score", {"min_score": 0.5}),
    ],
)
def test_a_changed_reader_is_named(stage: str, changes: dict[str, object]) -> None:
    candidate = replace(READER, head=replace(READER.head, **changes))
    (finding,) = declared(variant(READER, "recognize"), variant(candidate, "recognize"), {}, {})
    assert (finding.stage, finding.role) == (stage, "recognize")


@pytest.mark.parametrize(("model", "stage"), [(CLASSIFIER, "label map"), (READER, "CTC alphabet")])
def test_texts_are_told_apart_by_their_digest(model: Model, stage: str) -> None:
    path = "labels.txt" if model is CLASSIFIER else "abc.txt"
    side = variant(model)
    assert declared(side, side, {path: "a" * 64}, {path: "a" * 64}) == ()
    (finding,) = declared(side, side, {path: "a" * 64}, {path: "b" * 64})
    assert finding.stage == stage
    assert declared(side, side, {}, {path: "b" * 64}) == ()  # nothing is known of the reference's


@pytest.mark.parametrize(
    "candidate",
    [
        replace(CLASSIFIER, path="int8/other.onnx", external=("int8/w.bin",)),
        changed_input(CLASSIFIER, tensor="image", layout="nchw"),
        changed_input(CLASSIFIER, ops=INPUT.ops[:2], dtype="uint8"),  # folded into the graph
        replace(CLASSIFIER, head=replace(CLASSIFIER.head, tensor="scores")),
        changed_input(
            CLASSIFIER, ops=(ResizeShorter(183), CenterCrop(160, 160), INPUT.ops[2])
        ),  # a smaller input
    ],
)
def test_what_may_differ(candidate: Model) -> None:
    assert declared(variant(CLASSIFIER), variant(candidate), {}, {}) == ()


def test_mean_and_std_turned_with_the_channels_are_the_same() -> None:
    candidate = changed_input(CLASSIFIER, color="bgr", ops=ops(2, mean=(3, 2, 1), std=(6, 5, 4)))
    assert [f.stage for f in declared(variant(CLASSIFIER), variant(candidate), {}, {})] == ["channel order"]


def test_roles_that_one_side_lacks_are_left_out() -> None:
    assert declared(variant(CLASSIFIER), variant(CLASSIFIER, "detect"), {}, {}) == ()


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (("a", "b", "c"), None),
        (
            ("b", "a", "c"),
            "the reference declares 'a' as line 0, the candidate 'b', and 1 of 3 other lines differ",
        ),
        (("a", "b"), "the reference declares 3 lines, the candidate 2"),
    ],
)
def test_lines(candidate: tuple[str, ...], expected: str | None) -> None:
    difference = line_difference("label map", ("a", "b", "c"), candidate)
    assert (None if difference is None else str(difference)) == expected
