"""The normal form of the PP-OCR graphs, which come with opset 11 and 12 and every habit of two exporters."""

from dataclasses import dataclass

import cv2
import numpy as np
import onnx
import pytest

from edgekit.catalog.models import model_folder
from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.normalize import normalize
from edgekit_export.convert.serialize import to_bytes
from edgekit_export.recipe import load_recipe
from edgekit_export.sources.onnx_file import read_onnx
from edgekit_export.sources.packages import read_member
from export.tests.convert.graphs import ops, run

MEAN_STD = ((127.5,) * 3, (127.5,) * 3)


@dataclass(frozen=True)
class Case:
    """One graph: where it comes from, how large a picture to try, what is left of it."""

    model: str
    role: str
    opset: int
    sides: tuple[int, int]
    nodes: tuple[int, int]  # before, after
    hard_sigmoids: int


CASES = [
    Case("ppocr-v4", "detect", 12, (96, 160), (672, 205), 34),
    Case("ppocr-v4", "recognize", 12, (48, 160), (860, 292), 30),
    Case("ppocr-v6", "detect", 11, (96, 160), (464, 229), 13),
    Case("ppocr-v6", "recognize", 11, (48, 160), (480, 275), 5),
]


def read(fetched, case):
    spec = load_recipe(model_folder(case.model))[1].models[case.role]
    data = read_member(fetched(case.model, spec.package), spec.file, spec.sha256)
    return read_onnx(data, spec.file)


def sign(height, width):
    """A white picture with black text, which detectors answer with a map that is not zero everywhere."""
    picture = np.full((1, height, width, 3), 255, np.uint8)
    cv2.putText(picture[0], "EDGE 42", (8, height // 2 + 12), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2)
    return picture


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.model}-{c.role}")
def test_the_same_outputs_in_fewer_nodes(fetched, case):
    before = read(fetched, case)
    assert (before.opset_import[0].version, len(before.graph.node)) == (case.opset, case.nodes[0])
    after = normalize(before, Picture(*MEAN_STD, "height", "width"))
    pixels = sign(*case.sides)
    normal = ((pixels.astype(np.float64) - 127.5) / 127.5).astype(np.float32)
    wanted = run(before, {before.graph.input[0].name: np.ascontiguousarray(normal.transpose(0, 3, 1, 2))})
    got = run(after, {"image": pixels})
    assert [a.shape for a in got] == [a.shape for a in wanted]
    assert wanted[0].max() > 0.5
    assert np.abs(got[0] - wanted[0]).max() < 1e-4
    assert len(after.graph.node) <= case.nodes[1] + 4  # Transpose, Cast, Sub, Mul
    left = ops(after)
    assert left["HardSigmoid"] == case.hard_sigmoids
    assert not {"Identity", "Constant", "BatchNormalization", "Clip", "Dropout"} & set(left)
    assert len(to_bytes(after)) < len(before.SerializeToString())
    onnx.checker.check_model(after, full_check=True)
