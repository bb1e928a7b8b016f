import base64

import msgspec
import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.predictions.record import (
    ClassScores,
    Lines,
    Objects,
    Record,
    Tokens,
    pack,
    to_record,
    to_result,
    unpack,
)
from edgekit.types import (
    ChoiceScores,
    Classification,
    Detections,
    Embedding,
    Generation,
    TextRegions,
    TokenScores,
)

LABELS = ("a", "b", "c")
ODD = np.array([0.1, np.float32(1) / 3, np.finfo(np.float32).tiny], np.float32)

RESULTS = [
    Classification(ODD, LABELS),
    TextRegions(np.arange(16, dtype=np.float32).reshape(2, 4, 2) / 7, ("one", "zwei\n\u2028"), ODD[:2]),
    TextRegions(np.zeros((0, 4, 2), np.float32), (), np.zeros(0, np.float32)),
    Detections(np.arange(8, dtype=np.float32).reshape(2, 4) / 3, ODD[:2], np.array([2, 0], np.int32), LABELS),
    Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), LABELS),
    Embedding(ODD),
    Generation("a coloured shape"),
    ChoiceScores(-ODD[:3]),
    TokenScores(
        -ODD[:2],
        np.array([[5], [7]], np.int32),
        -np.ones((2, 1), np.float32),
        11,
        "ab12",
        0.1 + 0.2,
        (3, 4),
        "né",
    ),
    TokenScores(-ODD[:2], np.array([[5, 1, 2], [7, 0, 3]], np.int32), -np.ones((2, 3), np.float32) / 3, 11),
]


@pytest.mark.parametrize("result", RESULTS, ids=lambda r: type(r).__name__)
def test_exact_to_the_bit_through_json(result):
    line = msgspec.json.encode(to_record(result))
    again = to_result(msgspec.json.decode(line, type=Record), LABELS, "x")
    assert type(again) is type(result)
    for name in result.__dataclass_fields__:
        before, after = getattr(result, name), getattr(again, name)
        if isinstance(before, np.ndarray):
            assert (before.dtype, before.shape) == (after.dtype, after.shape)
            assert before.tobytes() == after.tobytes()
        else:
            assert before == after


def test_plain_numbers_of_other_tools():
    assert to_result(ClassScores((0.25, 0.5, 0.25)), LABELS, "x").top(1)[0].label == "b"
    lines = to_result(Lines(("one", "two")), (), "x")
    assert (lines.text, lines.quads.shape, lines.scores.tolist()) == ("one\ntwo", (2, 4, 2), [1.0, 1.0])


def test_what_a_broken_model_says_is_kept():
    assert np.isnan(unpack(pack(np.array([np.nan, 1], np.float32)))).tolist() == [True, False]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (ClassScores((0.5,)), "expected 3 scores"),
        (ClassScores("%%%"), "not base64"),
        (
            ClassScores(base64.b64encode(b"12345").decode()),
            "expected float32 values of 4 bytes each, got 5 bytes",
        ),
        (Lines(("a", "b"), quads=(1.0, 2.0)), "cannot reshape"),
        (Lines(("a", "b"), scores=(1.0,)), "expected quads"),
        (Objects((1.0, 2.0, 3.0), (0.5,), (0,)), "cannot reshape"),
        (Objects((1.0, 2.0, 3.0, 4.0), (0.5,), (3,)), "expected classes 0 to 2, got 3 to 3"),
        (Objects((1.0, 2.0, 3.0, 4.0), (0.5,), (2**40,)), "too large|out of bounds"),
        (Tokens((), (), (), 3), "expected top_index"),
        (Tokens((-1.0,), (1, 2), (-1.0,), 3), "expected top_index and top_logprob"),
        (Tokens((-1.0,), (1,), (-1.0,), 0), "at least one token and byte"),
    ],
)
def test_values_that_do_not_fit(record, message):
    with pytest.raises(DataError, match=rf"^sample 7: .*({message})"):
        to_result(record, LABELS, "sample 7")
