"""Eight stages, each broken in a real model: where it is declared, and inside the graph.

Needs EfficientNet-Lite0 and PP-OCRv4 as ``edgekit export`` makes them, in the folder ``EDGEKIT_TEST_BUNDLES``:
``lite0.edge``, ``v4rec.edge`` (the recogniser alone) and ``v4.edge``, each with its ``.reference.edge``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from msgspec.structs import replace
from onnx import TensorProto, numpy_helper

from edgekit.bundle.manifest import CenterCrop, ImageInput, Model, Normalize, ResizeStretch
from edgekit.bundle.reader import open_bundle
from edgekit.diagnosis.diagnose import diagnose
from edgekit.evaluation.outcome import Finding
from edgekit.processing.images import read_picture
from edgekit.types import Frame
from tests.diagnosis.surgery import levels, multiplied, rebuilt, reordered, side, swapped

PICTURES = 12


def bundle(name: str) -> Path:
    folder = os.environ.get("EDGEKIT_TEST_BUNDLES")
    if folder is None or not (Path(folder) / name).is_file():
        pytest.skip(f"real bundle {name} absent: set EDGEKIT_TEST_BUNDLES to a folder that holds it")
    return Path(folder) / name


@pytest.fixture(scope="module")
def photos(test_data: Path) -> list[Frame]:
    return [read_picture(p) for p in sorted((test_data / "coco" / "val2017").glob("*.jpg"))[:PICTURES]]


@pytest.fixture(scope="module")
def lines() -> list[Frame]:
    rendered = pytest.importorskip("edgekit_export.data.lines")
    return [Frame(rendered.render_line(7, i).image) for i in range(PICTURES)]


def unfolded(proto: onnx.ModelProto) -> None:
    """The reference's graph with its mean and std taken out: it takes float32 that the manifest normalises."""
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    del proto.graph.value_info[:]  # which say that the picture is uint8
    for tensor in proto.graph.initializer:
        if tensor.name == "sub0.c1":
            tensor.CopyFrom(
                numpy_helper.from_array(np.zeros_like(numpy_helper.to_array(tensor)), tensor.name)
            )
    del proto.graph.value_info[:]
    levels(128, 0)(proto)


def exchanged(rows: list[str]) -> list[str]:
    return [rows[9], *rows[1:9], rows[0], *rows[10:]]


def turned(rows: list[str]) -> list[str]:
    return [*rows[1:], rows[0]]


def image(change: Callable[[ImageInput], ImageInput]) -> dict[str, object]:
    return {"declare": lambda _role, model: replace(model, input=change(model.input))}


def ops(index: int, **changes: object) -> dict[str, object]:
    def change(spec: ImageInput) -> ImageInput:
        return replace(
            spec, ops=tuple(replace(op, **changes) if i == index else op for i, op in enumerate(spec.ops))
        )

    return image(change)


def head(**changes: object) -> dict[str, object]:
    return {"declare": lambda _role, model: replace(model, head=replace(model.head, **changes))}


def graph(role: str, broken: Callable[[onnx.ModelProto], None]) -> dict[str, object]:
    return {"graphs": {role: broken}}


def pair(classes: int, a: int, b: int) -> np.ndarray:
    order = np.arange(classes)
    order[[a, b]] = b, a
    return order


LITE0 = [
    ("channel order", image(lambda x: replace(x, color="bgr"))),
    ("resize", ops(0, size=224)),
    ("resize", ops(0, size=262)),
    ("crop", image(lambda x: replace(x, ops=(x.ops[0], ResizeStretch(224, 224))))),
    ("crop", image(lambda x: replace(x, ops=(x.ops[0], CenterCrop(232, 232), ResizeStretch(224, 224))))),
    ("label map", {"texts": turned}),
    ("label map", {"texts": exchanged}),
    ("channel order", graph("model", swapped)),
    ("mean", graph("model", levels(1, [-10, 0, 0]))),
    ("mean", graph("model", levels(1, -10))),
    ("mean", graph("model", levels(1, 127))),
    ("std", graph("model", levels(1 / 1.1, 0))),
    ("std", graph("model", levels(0.5, 0))),
    ("label map", graph("model", reordered(np.roll(np.arange(1000), 1)))),
    ("label map", graph("model", reordered(pair(1000, 281, 285)))),
    ("output scale", graph("model", multiplied(1.3))),
    ("output scale", graph("model", multiplied(0.25))),
]

READER = [
    ("channel order", "fp16", image(lambda x: replace(x, color="rgb"))),
    ("resize", "int8", ops(0, pad=0)),
    ("CTC alphabet", "int8", {"texts": turned}),
    ("CTC alphabet", "int8", {"texts": exchanged}),
    ("CTC alphabet", "int8", head(blank=1)),
    ("channel order", "fp16", graph("recognize", swapped)),
    ("mean", "fp16", graph("recognize", levels(1, -40))),
    ("std", "fp16", graph("recognize", levels(0.5, 0))),
    ("CTC alphabet", "int8", graph("recognize", reordered(np.roll(np.arange(6625), 1)))),
    ("output scale", "int8", graph("recognize", multiplied(1.3))),
]


@pytest.mark.parametrize(("stage", "how"), LITE0)
def test_lite0(tmp_path: Path, photos: list[Frame], stage: str, how: dict[str, object]) -> None:
    source = open_bundle(bundle("lite0.edge"))
    broken = rebuilt(source, tmp_path / "broken.edge", variant="int8", **how)
    findings = diagnose(side(bundle("lite0.reference.edge")), side(broken), photos)
    assert named(findings) == {stage}


@pytest.mark.parametrize(
    ("stage", "mean", "std"),
    [
        ("mean", (137.0, 127.0, 127.0), (128.0, 128.0, 128.0)),
        ("mean", (0.0, 0.0, 0.0), (128.0, 128.0, 128.0)),
        ("std", (127.0, 127.0, 127.0), (140.0, 140.0, 140.0)),
        ("std", (127.0, 127.0, 127.0), (1.0, 1.0, 1.0)),
    ],
)
def test_lite0_with_a_declared_normalisation(
    tmp_path: Path, photos: list[Frame], stage: str, mean: tuple, std: tuple
) -> None:
    source = open_bundle(bundle("lite0.reference.edge"))

    def normalized(mean: tuple, std: tuple) -> Callable[[str, Model], Model]:
        def declare(_role: str, model: Model) -> Model:
            spec = replace(model.input, ops=(*model.input.ops, Normalize(mean, std)), dtype="float32")
            return replace(model, input=spec)

        return declare

    right = normalized((127.0, 127.0, 127.0), (128.0, 128.0, 128.0))
    parts = {"graphs": {"model": unfolded}}
    reference = rebuilt(source, tmp_path / "right.edge", declare=right, **parts)
    broken = rebuilt(source, tmp_path / "broken.edge", declare=normalized(mean, std), **parts)
    assert diagnose(side(bundle("lite0.reference.edge")), side(reference), photos[:4]) == ()
    findings = diagnose(side(reference), side(broken), photos)
    assert named(findings) == {stage}
    assert all(finding.restored in (None, 1) for finding in findings)


@pytest.mark.parametrize(("stage", "variant", "how"), READER)
def test_reader(tmp_path: Path, lines: list[Frame], stage: str, variant: str, how: dict[str, object]) -> None:
    source = open_bundle(bundle("v4rec.edge"))
    broken = rebuilt(source, tmp_path / "broken.edge", variant=variant, **how)
    findings = diagnose(side(bundle("v4rec.reference.edge")), side(broken), lines)
    assert named(findings) == {stage}


@pytest.mark.parametrize("variant", ["int8", "fp16"])
def test_sound_bundles_have_no_finding(photos: list[Frame], lines: list[Frame], variant: str) -> None:
    for name, frames in (("lite0", photos), ("v4rec", lines)):
        reference, candidate = side(bundle(f"{name}.reference.edge")), side(bundle(f"{name}.edge"), variant)
        assert diagnose(reference, candidate, frames) == ()


@pytest.mark.parametrize("variant", ["int8", "fp16"])
def test_sound_pages_have_no_finding(variant: str) -> None:
    pages = pytest.importorskip("edgekit_export.data.pages")
    frames = [Frame(pages.render_page(7, i).image) for i in range(4)]
    reference, candidate = side(bundle("v4.reference.edge")), side(bundle("v4.edge"), variant)
    assert diagnose(reference, candidate, frames) == ()


def named(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.stage for finding in findings}
