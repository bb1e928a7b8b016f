"""What a head reads of the split graph is what it read of the whole one."""

import numpy as np
import onnx
import pytest

from edgekit.bundle.detect_head import AbsoluteBoxes, DetectHead, Level, Part, TanhBoxes
from edgekit.processing.detection import part_values
from edgekit_export.convert.split_parts import split_parts
from export.tests.convert.graphs import model_of, node, noise, ops, run

MAPS = noise(1, 7, 3, 2)
"""Objectness, four numbers of a box, two classes."""

SPLIT = np.array([1, 4, 2], np.int64)
PARTS = node("Split", ["x", "sizes"], ["p", "b", "c"], axis=1)
TANH = TanhBoxes()
ONE = Level(Part("y", 5), Part("y", 1), objectness=Part("y"), stride=16)


def head(*levels, boxes=TANH):
    return DetectHead(levels, "labels.txt", boxes, min_score=0.1)


def outputs(model, x=MAPS):
    return dict(zip([value.name for value in model.graph.output], run(model, {"x": x}), strict=True))


def both(model, given, x=MAPS):
    """The split graph and its head, after checking that both read the same values."""
    before = model.SerializeToString()
    made, changed = split_parts(model, given)
    onnx.checker.check_model(made)
    assert model.SerializeToString() == before
    np.testing.assert_allclose(
        part_values(outputs(made, x), changed), part_values(outputs(model, x), given), atol=1e-6
    )
    return made, changed


def fastest(axis=3, perm=(0, 3, 2, 1), opset=18):
    nodes = [
        PARTS,
        node("Sigmoid", ["p"], ["o"]),
        node("Transpose", ["c"], ["t"], perm=perm),
        node("Softmax", ["t"], ["s"], axis=axis),
        node("Transpose", ["s"], ["u"], perm=np.argsort(perm).tolist()),
        node("Concat", ["o", "b", "u"], ["y"], axis=1),
    ]
    return model_of(nodes, {"x": [1, 7, 3, 2]}, {"y": [1, 7, 3, 2]}, {"sizes": SPLIT}, opset)


def test_one_map_of_three_parts():
    made, changed = both(fastest(), head(ONE))
    (level,) = changed.levels
    assert level.objectness == Part("objectness", activation="sigmoid")
    assert level.scores == Part("scores", activation="softmax")
    assert level.boxes == Part("boxes")
    assert level.stride == 16
    assert [value.name for value in made.graph.output] == ["scores", "boxes", "objectness"]
    assert not {"Sigmoid", "Softmax", "Concat"} & set(ops(made))


@pytest.mark.parametrize(("axis", "opset"), [(2, 18), (2, 13), (1, 18)])
def test_a_softmax_over_the_map_stays(axis, opset):
    made, changed = both(fastest(axis, opset=opset), head(ONE))
    assert changed.levels[0].scores == Part("scores")
    assert ops(made)["Softmax"] == 1


def listed(last=False):
    """Boxes in pixels and sigmoids, as a YOLO gives them."""
    nodes = [
        node("Reshape", ["x", "rows"], ["r"]),
        node("Split", ["r", "sizes"], ["b", "c"], axis=1),
        node("Sigmoid", ["c"], ["s"]),
        node("Concat", ["b", "s"], ["z" if last else "y"], axis=1),
        *([node("Transpose", ["z"], ["y"], perm=[0, 2, 1])] if last else []),
    ]
    constants = {"rows": np.array([1, 7, 6], np.int64), "sizes": np.array([4, 3], np.int64)}
    return model_of(nodes, {"x": [1, 7, 3, 2]}, {"y": [1, 6, 7] if last else [1, 7, 6]}, constants)


def test_a_list_of_boxes_and_classes():
    given = head(Level(Part("y", 4), Part("y")), boxes=AbsoluteBoxes("cxcywh", "pixel"))
    made, changed = both(listed(), given)
    assert changed.levels == (Level(Part("scores", activation="sigmoid"), Part("boxes")),)
    assert "Sigmoid" not in ops(made)


def test_what_cannot_be_taken_apart_stays():
    parts = [Part("y", start, "last") for start in (4, 0)]
    given = head(Level(*parts), boxes=AbsoluteBoxes("cxcywh", "pixel"))
    made, changed = both(listed(last=True), given)
    assert changed == given
    assert ops(made)["Sigmoid"] == 1


def test_levels_and_a_sigmoid_before_reshape_and_transpose():
    """PicoDet: two tensors a level."""
    nodes, level = [], []
    for i in (0, 1):
        nodes += [
            node("Split", ["x", "sizes"], [f"b{i}", f"c{i}"], axis=1),
            node("Sigmoid", [f"c{i}"], [f"s{i}"]),
            node("Reshape", [f"s{i}", "rows"], [f"r{i}"]),
            node("Transpose", [f"r{i}"], [f"y{i}"], perm=[0, 2, 1]),
        ]
        level.append(Level(Part(f"y{i}", channels="last"), Part(f"b{i}")))
    shapes = {"y0": [1, 6, 3], "y1": [1, 6, 3], "b0": [1, 4, 3, 2], "b1": [1, 4, 3, 2]}
    constants = {"rows": np.array([1, 3, 6], np.int64), "sizes": np.array([4, 3], np.int64)}
    made, changed = both(model_of(nodes, {"x": [1, 7, 3, 2]}, shapes, constants), head(*level))
    assert [one.scores for one in changed.levels] == [
        Part("scores.0", channels="last", activation="sigmoid"),
        Part("scores.1", channels="last", activation="sigmoid"),
    ]
    assert [one.boxes.tensor for one in changed.levels] == ["b0", "b1"]
    assert "Sigmoid" not in ops(made)


def test_a_tensor_that_others_read_as_well_keeps_its_activation_there():
    nodes = [PARTS, node("Sigmoid", ["c"], ["y"]), node("Concat", ["b", "y"], ["also"], axis=1)]
    shapes = {"y": [1, 2, 3, 2], "also": [1, 6, 3, 2]}
    model = model_of(nodes, {"x": [1, 7, 3, 2]}, shapes, {"sizes": SPLIT})
    made, changed = both(
        model, head(Level(Part("y"), Part("also"), stride=16), boxes=AbsoluteBoxes("xyxy", "pixel"))
    )
    assert changed.levels[0].scores == Part("scores", activation="sigmoid")
    assert changed.levels[0].boxes == Part("also")
    assert ops(made)["Sigmoid"] == 1
