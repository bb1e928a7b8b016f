import numpy as np
import pytest
from onnx import numpy_helper

from edgekit_export.layers.coding import Coding
from export.tests.convert.graphs import model_of, run


def test_stored_codes_are_counted_from_the_code_of_zero():
    coding = Coding(0.5, -10, 245)
    np.testing.assert_array_equal(
        coding.real(np.asarray([0, 10, 11, 255], np.uint8)), np.asarray([-5, 0, 0.5, 122.5], np.float32)
    )
    np.testing.assert_array_equal(coding.real(np.asarray([-2.0, 3.0], np.float32)), [-1.0, 1.5])


@pytest.mark.parametrize(
    ("divide", "multiply", "expected"),
    [
        (True, True, [-1.0, 0.0, 1.0, 2.0, 2.0]),
        (False, True, [-0.5, 0.0, 0.5, 1.5, 2.0]),
        (True, False, [-2.0, 0.0, 2.0, 4.0, 4.0]),
        (False, False, [-1.0, 0.0, 1.0, 3.0, 4.0]),
    ],
)
def test_rounding_inside_a_graph(divide, multiply, expected):
    nodes, constants = Coding(0.5, -2, 4).nodes("x", "y", divide=divide, multiply=multiply)
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in constants}
    model = model_of(nodes, {"x": [5]}, {"y": [5]}, values)
    x = np.asarray([-1.3, 0.2, 0.9, 3.4, 9.0], np.float32)
    np.testing.assert_array_equal(run(model, {"x": x})[0], np.asarray(expected, np.float32))
