import numpy as np
import pytest

from edgekit_export.convert.graph import GraphView
from edgekit_export.quantize.integer import Affine
from edgekit_export.quantize.picture import picture_zero_point, whole_mean
from export.tests.convert.graphs import copy_of, model_of, node, run
from export.tests.quantize.networks import pictures, residual, values


def test_a_whole_mean_is_the_zero_point():
    model = residual(mean=127.0)
    before = model.SerializeToString()
    assert whole_mean(model) == {"sub0": Affine(1.0, 127)}
    assert model.SerializeToString() == before


@pytest.mark.parametrize(("mean", "zero_point"), [(127.5, 128), (103.53, 104), (0.0, 0), (300.25, 255)])
def test_the_rest_of_the_mean_goes_into_the_bias(mean, zero_point):
    model = residual(mean=mean)
    after = copy_of(model)
    assert whole_mean(after) == {"sub0": Affine(1.0, zero_point)}
    view = GraphView(after)
    assert picture_zero_point(view, view.producer["sub0"]) == zero_point
    feed = pictures(1)[0]
    wanted, got = run(model, feed)[0], run(after, feed)[0]
    # Only the padded border differs, which here is a tenth of the picture.
    assert np.abs(wanted - got).max() < 0.02 * np.abs(wanted).max() + abs(mean - zero_point) * 0.02


def test_a_float_graph_has_no_picture():
    nodes, weight = [node("Conv", ["x", "w"], ["y"])], values(2, 3, 1, 1)
    model = model_of(nodes, {"x": [1, 3, 4, 4]}, {"y": [1, 2, 4, 4]}, {"w": weight})
    assert whole_mean(model) == {}
