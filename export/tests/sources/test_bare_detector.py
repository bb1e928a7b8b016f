"""Heads that names and shapes of outputs tell, and the messages where they do not."""

import onnx
import pytest
from onnx import TensorProto, helper

from edgekit.bundle.detect_head import AbsoluteBoxes, Part
from edgekit.bundle.manifest import Letterbox, Normalize, ResizeStretch
from edgekit.errors import DataError, ModelError, UsageError
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.bare_detector import infer_head
from edgekit_export.sources.resolve import resolve

CELLS = 8 * 4 + 4 * 2 + 2 * 1
"""Of 64 x 32 pixels, by 8, 16 and 32."""


def graph(**shapes):
    """Gives zeros of these shapes; its input's size is not known, as exporters leave it."""
    constants = [
        helper.make_tensor(f"{name}.shape", TensorProto.INT64, [len(shape)], shape)
        for name, shape in shapes.items()
    ]
    nodes = [helper.make_node("ConstantOfShape", [f"{name}.shape"], [name]) for name in shapes]
    made = helper.make_graph(
        [helper.make_node("Relu", ["pixels"], ["r"]), *nodes],
        "g",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * len(s))
            for name, s in shapes.items()
        ],
        constants,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def head_of(known=None, **shapes):
    return infer_head(graph(**shapes), "m.onnx", (64, 32), "labels.txt", known)


def test_yolo_without_anchors():
    found = head_of(output0=(1, 7, CELLS))
    (level,) = found.head.levels
    assert (level.scores, level.boxes) == (Part("output0", 4), Part("output0"))
    assert found.head.boxes == AbsoluteBoxes("cxcywh", "pixel")
    assert found.head.iou_threshold == 0.7
    assert (found.classes, found.resize) == (3, "letterbox")


def test_yolo_with_anchors():
    found = head_of(output=(1, 3 * CELLS, 8))
    (level,) = found.head.levels
    assert level.objectness == Part("output", 4, "last")
    assert level.scores == Part("output", 5, "last")
    assert (found.classes, found.resize) == (3, "letterbox")


@pytest.mark.parametrize(
    ("known", "activation", "background", "classes"),
    [(4, "softmax", "last", "best"), (5, "sigmoid", "none", "all")],
)
def test_queries_by_the_number_of_labels(known, activation, background, classes):
    found = head_of(known, logits=(1, 10, 5), pred_boxes=(1, 10, 4), last_hidden_state=(1, 10, 16))
    head = found.head
    assert head.levels[0].scores == Part("logits", channels="last", activation=activation)
    assert (head.background, head.classes, head.iou_threshold) == (background, classes, None)
    assert head.boxes == AbsoluteBoxes("cxcywh", "share")
    assert (found.classes, found.resize) == (known, "stretch")


@pytest.mark.parametrize(("known", "error"), [(None, UsageError), (3, DataError), (6, DataError)])
def test_queries_need_labels(known, error):
    with pytest.raises(
        error, match="logits have 5 channels: 5 classes with a sigmoid each, or 4 and no object"
    ):
        head_of(known, logits=(1, 10, 5), pred_boxes=(1, 10, 4))


@pytest.mark.parametrize(
    "shapes",
    [
        {"y": (1, CELLS, 8)},  # YOLOX, decoded or not
        {"y": (1, 4, CELLS)},
        {"y": (1, 7, CELLS + 1)},
        {"y": (1, 85, 4, 8)},
        {"heatmap": (1, 3, 8, 16), "wh": (1, 2, 8, 16)},
    ],
)
def test_what_is_not_clear_is_asked_for(shapes):
    with pytest.raises(ModelError, match="cannot tell how its outputs are read as objects") as caught:
        head_of(**shapes)
    assert all(f"{name} {shape}" in caught.value.message for name, shape in shapes.items())
    assert "detect_head" in caught.value.remedy


def test_another_number_of_labels():
    with pytest.raises(DataError, match="expected 3 labels, one a line, got 2"):
        head_of(2, output0=(1, 7, CELLS))


@pytest.mark.parametrize(
    ("resize", "first"), [(None, Letterbox(32, 32, 114)), ("stretch", ResizeStretch(32, 32))]
)
def test_a_file_as_a_source(tmp_path, resize, first):
    path = tmp_path / "yolo.onnx"
    onnx.save(graph(output0=(1, 6, 16 + 4 + 1)), path)
    source = resolve(str(path), BareInput("0to1", size=32, resize=resize, task="detect"))
    assert (source.task, source.card.task) == ("detect", "detect")
    spec = source.graphs["model"].spec
    assert spec.input.ops == (first, Normalize((0.0, 0.0, 0.0), (255.0, 255.0, 255.0)))
    assert source.assets["assets/labels.txt"] == b"class 0\nclass 1\n"
