import hashlib
from types import SimpleNamespace

import numpy as np
import pytest

from edgekit import Classification, TextRegions
from edgekit.engines.protocol import TensorSpec
from edgekit.tasks.golden import alike, decision, digest, margin, probe
from edgekit.tasks.trace import Call
from edgekit.types import Detections


@pytest.mark.parametrize(
    ("size", "values", "indices"), [(10, 4, [0, 2, 5, 7]), (3, 8, [0, 1, 2]), (0, 4, [])]
)
def test_probe_takes_evenly_spread_values(size, values, indices):
    np.testing.assert_array_equal(probe(np.arange(size), values), indices)


def test_digest_is_of_little_endian_bytes_in_c_order():
    array = np.array([[1, 2], [3, 4]], np.float32)
    expected = hashlib.sha256(np.array([1, 3, 2, 4], "<f4").tobytes()).hexdigest()
    assert digest(array.T) == expected
    assert digest(array.T.astype(">f4")) == expected


def test_decisions():
    assert decision(Classification(np.array([0.1, 0.9], np.float32), ("a", "b"))) == "1"
    assert decision(TextRegions(np.zeros((1, 4, 2), np.float32), ("hi",), np.ones(1, np.float32))) == "hi"


def call(role, *outputs, kept=()):
    arrays = [np.array(o, np.float32) for o in outputs]
    specs = tuple(TensorSpec(f"out{i}", "float32", array.shape) for i, array in enumerate(arrays))
    return Call(role, SimpleNamespace(outputs=specs), {}, arrays, frozenset(kept))


LETTERS = Classification(np.array([0.1, 0.9], np.float32), ("a", "b"))


def test_margin_is_the_smallest_over_positions_and_outputs():
    calls = [call("model", [[1, 5, 2]]), call("recognize", [[[0.6, 0.4], [0.9, 0.1]]])]
    assert margin(LETTERS, calls) == pytest.approx(0.2)
    assert margin(LETTERS, [call("detect", [[1, 2]]), call("model", [[3]], 4.0)]) is None
    assert margin(LETTERS, [call("model", [[1, 5]], [[1, 1]], kept=("out1",))]) == 4
    assert margin(LETTERS, [call("encode", [[1, 1]]), call("decode", [[1, 3]])]) == 2


def found(*scores):
    xyxy = np.array([[10 * i, 0.4, 10 * i + 8, 9.5] for i in range(len(scores))], np.float32).reshape(-1, 4)
    return Detections(xyxy, np.array(scores, np.float32), np.zeros(len(scores), np.int32), ("a car",))


@pytest.mark.parametrize(
    ("scores", "decided", "apart"),
    [
        ((), "", 0.0),
        ((0.29,), "", 0.01),
        ((0.3,), "0 0 8 10 a car", 0.0),
        ((0.9, 0.6, 0.1), "0 0 8 10 a car\n10 0 18 10 a car", 0.2),
        ((0.9,), "0 0 8 10 a car", 0.3),  # what was not found at all may be as near as that
    ],
)
def test_a_detector_decides_on_objects_that_count_as_found(scores, decided, apart):
    assert decision(found(*scores)) == decided
    assert margin(found(*scores), []) == pytest.approx(apart, abs=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "overlap", "expected"),
    [
        ("", "", 0.5, True),
        ("0 0 100 100 a car", "", 0.5, False),
        ("", "0 0 100 100 a car", 0.5, False),
        ("0 0 100 100 a car", "0 0 100 96 a car", 0.95, True),  # 0.96
        ("0 0 100 100 a car", "0 0 100 90 a car", 0.95, False),
        ("0 0 100 100 a car", "0 0 100 100 car", 0.5, False),
        ("0 0 9 9 b\n20 0 29 9 b", "20 0 29 9 b\n0 0 9 9 b", 0.9, True),  # order does not matter
        ("0 0 9 9 b\n0 0 9 9 b", "0 0 9 9 b", 0.9, False),  # each is taken once
    ],
)
def test_objects_that_pair_off_are_the_same_decision(first, second, overlap, expected):
    assert alike("detect", first, second, overlap) is expected


def test_other_tasks_decide_in_texts_that_are_equal():
    assert alike("classify", "1", "1")
    assert not alike("ocr", "0 0 9 9 b", "0 0 9 8 b", 0.5)
