import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit_export.quantize import Recipe
from edgekit_export.quantize.choose import is_transformer, recipe_for
from edgekit_export.quantize.recipe import DYNAMIC_INT8
from export.tests.convert.graphs import model_of, node
from export.tests.quantize.networks import attending, gated, residual


def perceptron(normalized):
    constants = {"w": np.ones((64, 64)), "one": np.ones(64)}
    nodes = [node("MatMul", ["x", "w"], ["h"])]
    nodes += [node("LayerNormalization", ["h", "one"], ["y"])] if normalized else [node("Relu", ["h"], ["y"])]
    return model_of(nodes, {"x": [1, 64]}, {"y": [1, 64]}, constants)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (attending(), True),
        (perceptron(normalized=True), True),
        (perceptron(normalized=False), False),
        (residual(), False),
        (gated(), False),
    ],
)
def test_what_is_a_transformer(model, expected):
    assert is_transformer(model) is expected
    assert recipe_for(model, {}) == (DYNAMIC_INT8 if expected else Recipe())


def test_what_the_recipe_says_goes_first():
    assert recipe_for(attending(), {"mode": "weight8"}).mode == "weight8"
    assert recipe_for(residual(), {"mode": "dynamic"}) == DYNAMIC_INT8
    with pytest.raises(UsageError, match="unknown key"):
        recipe_for(attending(), {"mod": "weight8"})
