import hashlib

import numpy as np
import pytest

from edgekit import Classification, TextRegions
from edgekit.tasks.golden import decision, digest, margin, probe
from edgekit.tasks.trace import Call


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


def call(role, *outputs):
    return Call(role, None, {}, [np.array(o, np.float32) for o in outputs])


def test_margin_is_the_smallest_over_positions_and_outputs():
    calls = [call("model", [[1, 5, 2]]), call("recognize", [[[0.6, 0.4], [0.9, 0.1]]])]
    assert margin(calls) == pytest.approx(0.2)
    assert margin([call("detect", [[1, 2]]), call("model", [[3]], 4.0)]) is None
