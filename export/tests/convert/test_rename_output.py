import pytest

from edgekit.errors import ModelError
from edgekit_export.convert.rename_output import rename_output
from edgekit_export.convert.session import session_of
from export.tests.convert.graphs import copy_of, difference, model_of, node, noise, run


def test_the_output_gets_its_name(small_classifier):
    model = small_classifier()
    rename_output(model, "scores")
    assert [spec.name for spec in session_of(model).outputs] == ["scores"]
    rename_output(model, "scores")


@pytest.mark.parametrize("name", ["c0", "w0", "input"])
def test_names_that_are_taken(small_classifier, name):
    with pytest.raises(ModelError, match=f"named '{name}' already"):
        rename_output(small_classifier(), name)


def test_an_output_that_is_read_on_or_has_its_shape_written_twice():
    nodes = [node("Relu", ["x"], ["old"]), node("Neg", ["old"], ["unused"])]
    before = model_of(nodes, {"x": [3]}, {"old": [3]})
    after = copy_of(before)
    after.graph.value_info.append(after.graph.output[0])
    rename_output(after, "scores")
    assert [n.output[0] for n in after.graph.node] == ["scores", "unused"]
    assert after.graph.value_info[0].name == "scores"
    assert difference(before, after, {"x": noise(3)}) == 0


def test_an_output_that_is_a_constant():
    model = model_of([node("Relu", ["x"], ["r"])], {"x": [3]}, {"c": [1]}, {"c": [2.0]})
    rename_output(model, "scores")
    assert run(model, {"x": noise(3)})[0] == [2.0]


def test_an_input_handed_through():
    model = model_of([node("Relu", ["x"], ["r"])], {"x": [3]}, {"x": [3]})
    with pytest.raises(ModelError, match="'x' is an input handed through"):
        rename_output(model, "scores")


def test_several_outputs(small_classifier):
    model = small_classifier()
    model.graph.output.add().CopyFrom(model.graph.output[0])
    model.graph.output[1].name = "r0"
    with pytest.raises(ModelError, match="one output, got 2: logits, r0"):
        rename_output(model, "scores")
