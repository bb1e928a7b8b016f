from __future__ import annotations

import pytest

from edgekit.bundle.manifest import (
    CenterCrop,
    ImageInput,
    Normalize,
    ResizeHeight,
    ResizeShorter,
    ResizeStretch,
)
from edgekit.diagnosis.operations import align, expected_ops, pair_stage, repaired

SHORTER, CROP, SQUASH = ResizeShorter(256), CenterCrop(224, 224), ResizeStretch(224, 224)
LINE = ResizeHeight(48, 320, 3200, 32, 127)


def spec(*ops, color="rgb", dtype="float32"):
    return ImageInput("x", ops, color, dtype)


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        ((), (), []),
        ((SHORTER, CROP), (SHORTER, CROP), []),
        ((SHORTER, CROP), (ResizeShorter(224), CROP), ["resize"]),
        ((SHORTER, CROP), (SHORTER, SQUASH), ["crop"]),
        ((SHORTER, CROP), (SQUASH,), ["resize", "crop"]),
        ((SHORTER, CROP), (CROP,), ["resize"]),
        ((SHORTER, CROP), (SHORTER,), ["crop"]),
        ((SHORTER,), (SHORTER, CROP), ["crop"]),
        ((SHORTER, CROP), (), ["resize", "crop"]),
        ((), (SHORTER, CROP), ["resize", "crop"]),
        ((SHORTER, CROP), (SHORTER, CenterCrop(240, 240), SQUASH), ["crop", "resize"]),
        ((LINE,), (ResizeHeight(48, 320, 3200, 32, 0),), ["resize"]),
    ],
)
def test_differing_stages(reference, candidate, expected) -> None:
    pairs = [pair for pair in align(reference, candidate) if pair[0] != pair[1]]
    assert [pair_stage(pair) for pair in pairs] == expected


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        ((ResizeShorter(183), CenterCrop(160, 160)), (ResizeShorter(183), CenterCrop(160, 160))),
        ((ResizeShorter(182), CenterCrop(160, 160)), (ResizeShorter(182), CenterCrop(160, 160))),
        ((ResizeShorter(160), CenterCrop(160, 160)), (ResizeShorter(183), CenterCrop(160, 160))),
        ((SHORTER, CenterCrop(200, 200)), (SHORTER, CROP)),
        ((SHORTER, CROP), (SHORTER, CROP)),
    ],
)
def test_a_smaller_input_is_expected_to_see_the_same(candidate, expected) -> None:
    assert expected_ops(spec(SHORTER, CROP), spec(*candidate)) == expected


@pytest.mark.parametrize(
    ("stages", "ops", "color"),
    [
        (set(), (SQUASH, Normalize((0, 0, 0), (9, 9, 9))), "bgr"),
        ({"mean"}, (SQUASH, Normalize((3, 2, 1), (9, 9, 9))), "bgr"),
        ({"mean", "channel order"}, (SQUASH, Normalize((1, 2, 3), (9, 9, 9))), "rgb"),
        ({"std"}, (SQUASH, Normalize((0, 0, 0), (6, 5, 4))), "bgr"),
        ({"resize", "crop"}, (SHORTER, CROP, Normalize((0, 0, 0), (9, 9, 9))), "bgr"),
    ],
)
def test_stages_are_put_right_one_by_one(stages, ops, color) -> None:
    reference = spec(SHORTER, CROP, Normalize((1, 2, 3), (4, 5, 6)))
    candidate = spec(SQUASH, Normalize((0, 0, 0), (9, 9, 9)), color="bgr")
    assert repaired(reference, candidate, stages) == spec(*ops, color=color)


def test_uint8_takes_no_normalisation() -> None:
    reference = spec(SHORTER, Normalize((1, 2, 3), (4, 5, 6)))
    assert repaired(reference, spec(SQUASH, dtype="uint8"), {"mean", "resize"}) == spec(
        SHORTER, dtype="uint8"
    )
