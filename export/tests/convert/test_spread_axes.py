import numpy as np
import pytest

from edgekit_export.convert.graph import attribute
from edgekit_export.convert.shapes import infer_shapes
from edgekit_export.convert.spread_axes import spread_axes
from export.tests.convert.graphs import constants_of, copy_of, difference, model_of, node, noise

HOW = {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}


def resize(inputs, constants, shape=(1, 2, 3, 4), **attributes):
    made = model_of(
        [node("Resize", inputs, ["y"], **HOW, **attributes)], {"x": shape}, {"y": [None] * 4}, constants
    )
    infer_shapes(made)
    return made


@pytest.mark.parametrize(
    ("inputs", "constants", "axes", "spread"),
    [
        (["x", "", "", "n"], {"n": np.array([6, 8], np.int64)}, [2, 3], {"y.sizes": [1, 2, 6, 8]}),
        (["x", "", "", "n"], {"n": np.array([8, 5], np.int64)}, [-1, -2], {"y.sizes": [1, 2, 5, 8]}),
        (["x", "", "f"], {"f": np.array([2.0, 0.5], np.float32)}, [3, 2], {"y.scales": [1, 1, 0.5, 2]}),
    ],
)
def test_sizes_of_all_axes(inputs, constants, axes, spread):
    before = resize(inputs, constants, axes=axes)
    after = copy_of(before)
    spread_axes(after)
    assert attribute(after.graph.node[0], "axes") is None
    found = {k: v.tolist() for k, v in constants_of(after).items() if k in spread}
    assert found == spread
    assert difference(before, after, {"x": noise(1, 2, 3, 4)}) == 0


def test_others_stay():
    sizes = {"n": np.array([1, 2, 6, 8], np.int64)}
    plain = resize(["x", "", "", "n"], sizes)
    dynamic = resize(["x", "", "", "n"], {"n": np.array([6, 8], np.int64)}, (1, "c", 3, 4), axes=[2, 3])
    for model in (plain, dynamic):
        before = model.SerializeToString()
        spread_axes(model)
        assert model.SerializeToString() == before
