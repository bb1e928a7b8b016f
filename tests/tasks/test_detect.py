"""The detector's way from picture to boxes in pixels of the picture, with an engine that says what it is told."""

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.detect_head import AbsoluteBoxes, DetectHead, Level, Part
from edgekit.bundle.manifest import ClassHead, ImageInput, Letterbox, Model, ResizeStretch, Variant
from edgekit.engines.protocol import EngineOptions, TensorSpec
from edgekit.errors import BundleError
from edgekit.tasks.detect import Detect
from edgekit.tasks.trace import Trace
from edgekit.types import Frame

LEVEL = Level(Part("scores", channels="last"), Part("boxes", channels="last"))
HEAD = DetectHead(
    (LEVEL,), "labels.txt", AbsoluteBoxes("xyxy", "pixel"), min_score=0.1, found_score=0.5, iou_threshold=0.5
)
BOXED = Letterbox(64, 64, 114)


class Engine:
    """Gives the same outputs whatever it is shown."""

    name, version, formats = "told", "1", frozenset({"onnx"})

    def __init__(self, outputs):
        self.given = {name: np.array([rows], np.float32) for name, rows in outputs.items()}
        self.inputs = (TensorSpec("image", "uint8", (1, 64, 64, 3)),)
        self.outputs = tuple(TensorSpec(name, "float32", rows.shape) for name, rows in self.given.items())

    def load(self, path, options):
        return self

    def run(self, feeds):
        self.fed = feeds
        return list(self.given.values())


def task(engine, tmp_path, op=BOXED, head=HEAD, layout="nhwc", **changes):
    (tmp_path / "labels.txt").write_text("car\nperson\n", encoding="utf-8")
    model = Model("model.onnx", "onnx", ImageInput("image", (op,), "rgb", layout=layout), head)
    variant = replace(Variant("int8", "test", "int8", {"model": model}, 1), **changes)
    return Detect("told", variant, tmp_path, engine, EngineOptions(threads=1))


def test_boxes_come_back_to_the_picture(tmp_path):
    """128 x 96 in 64 x 64: half the size, 8 rows of padding on top and below."""
    engine = Engine({
        "scores": [[0.9, 0.0], [0.0, 0.4], [0.3, 0.0], [0.8, 0.0], [0.2, 0.05]],
        "boxes": [[10, 18, 20, 28], [-5, 8, 64, 70], [0, 0, 64, 7], [11, 18, 21, 28], [40, 40, 50, 50]],
    })  # fmt: skip
    trace = Trace()
    result = task(engine, tmp_path)(Frame(np.zeros((96, 128, 3), np.uint8)), trace)
    assert result.xyxy.tolist() == [
        [20, 20, 40, 40],
        [0, 0, 128, 96],
        [80, 64, 100, 84],
    ]  # one lay in the padding
    assert result.label == ("car", "person", "car")
    assert result.score.tolist() == pytest.approx([0.9, 0.4, 0.2])
    assert result.found().label == ("car",)
    assert engine.fed["image"].shape == (1, 64, 64, 3)
    assert [call.role for call in trace.calls] == ["model"]


def test_the_input_may_be_planar(tmp_path):
    share = replace(HEAD, boxes=AbsoluteBoxes("xyxy", "share"))
    engine = Engine({"scores": [[0.9, 0.0]], "boxes": [[0, 0.5, 0.5, 1]]})
    made = task(engine, tmp_path, ResizeStretch(32, 16), share, layout="nchw")
    assert made(np.zeros((100, 300, 3), np.uint8)).xyxy.tolist() == [[0, 50, 150, 100]]
    assert engine.fed["image"].shape == (1, 3, 16, 32)


def test_nothing_is_found(tmp_path):
    result = task(Engine({"scores": [[0, 0]], "boxes": [[0, 0, 1, 1]]}), tmp_path)(
        np.zeros((9, 9, 3), np.uint8)
    )
    assert (len(result), result.xyxy.shape, result.as_json()) == (0, (0, 4), {"objects": []})


def test_other_graphs_and_heads_are_refused(tmp_path):
    engine = Engine({"scores": [[0, 0]]})
    with pytest.raises(BundleError, match="has the outputs 'scores', expected boxes"):
        task(engine, tmp_path)
    with pytest.raises(
        BundleError, match="detect expects one graph 'model' with a detect_head, got model: class"
    ):
        task(engine, tmp_path, head=ClassHead("scores", "labels.txt", "none"))
