import numpy as np
import pytest

from edgekit.errors import ModelError
from edgekit_export.convert.select_outputs import select_outputs
from export.tests.convert.graphs import model_of, node, noise, ops, run

X = noise(1, 4)


def three():
    nodes = [node("Neg", ["x"], ["n"]), node("Abs", ["n"], ["a"]), node("Exp", ["x"], ["e"])]
    return model_of(nodes, {"x": [1, 4]}, {"n": [1, 4], "a": [1, 4], "e": [1, 4]})


def test_the_wanted_in_their_order_and_nothing_else():
    model = three()
    select_outputs(model, ("a", "n"))
    assert [value.name for value in model.graph.output] == ["a", "n"]
    assert ops(model) == {"Neg": 1, "Abs": 1}
    np.testing.assert_array_equal(run(model, {"x": X}), [abs(X), -X])


def test_the_only_output_gets_the_only_name():
    model = model_of([node("Neg", ["x"], ["n"])], {"x": [1, 4]}, {"n": [1, 4]})
    select_outputs(model, ("scores",))
    np.testing.assert_array_equal(run(model, {"x": X}), [-X])
    assert model.graph.output[0].name == "scores"


@pytest.mark.parametrize("wanted", [("b",), ("a", "x")])
def test_an_output_that_is_none(wanted):
    with pytest.raises(ModelError, match="the graph has n, a, e"):
        select_outputs(three(), wanted)
