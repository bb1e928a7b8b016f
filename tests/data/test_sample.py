import numpy as np
import pytest

from edgekit.data.sample import Sample, TrueBoxes, kind_of, recipe_of
from edgekit.errors import DataError
from edgekit.types import Frame, Question


def boxes(n=2, classes=2, crowds=2):
    return TrueBoxes(np.ones((n, 4), np.float32), np.zeros(classes, np.int32), np.zeros(crowds, bool))


def test_kinds():
    kinds = [kind_of(truth) for truth in (None, 3, "x", ("x",), (), boxes())]
    assert kinds == ["none", "label", "text", "answers", "answers", "boxes"]


@pytest.mark.parametrize("sizes", [(1, 2, 2), (2, 1, 2), (2, 2, 1)])
def test_boxes_of_other_numbers(sizes):
    with pytest.raises(DataError, match=r"true boxes: expected xyxy \([12], 4\)"):
        boxes(*sizes)


def test_recipes_tell_truths_apart():
    other = boxes()
    other.xyxy[0, 0] = 2
    assert recipe_of(boxes()) == recipe_of(boxes())
    assert recipe_of(boxes(0, 0, 0)).startswith("0 boxes e3b0c442")
    assert len({recipe_of(t) for t in (None, 1, "1", ("1",), boxes(), other, boxes(1, 1, 1))}) == 7


def test_picture_of_a_question_but_of_no_text():
    frame = Frame(np.zeros((1, 1, 3), np.uint8))
    assert Sample("a", "", lambda: Question(frame, "?")).frame is frame
    with pytest.raises(DataError, match="a: expected a picture, got a text"):
        _ = Sample("a", "", lambda: "text").frame
