import numpy as np
import pytest

from edgekit_export.convert.graph import (
    GraphView,
    attribute,
    constant,
    fresh_name,
    remove_nodes,
    replace_input,
    set_constants,
    set_nodes,
    tensor_names,
    topological_order,
)
from export.tests.convert.graphs import constants_of, difference, model_of, node, noise, run


@pytest.fixture
def diamond():
    """``(x + one) * sigmoid(x + one)``, with its middle as a second output."""
    nodes = [
        node("Add", ["x", "one"], ["a"], name="first"),
        node("Sigmoid", ["a"], ["b"]),
        node("Mul", ["a", "b"], ["y"]),
    ]
    return model_of(nodes, {"x": [2, 3]}, {"y": [2, 3], "b": [2, 3]}, {"one": [1.0], "pair": [1.0, 2.0]})


def test_wiring(diamond):
    view = GraphView(diamond)
    assert (view.inputs, view.outputs) == (["x"], ["y", "b"])
    assert view.producer["b"].op_type == "Sigmoid"
    assert [n.op_type for n in view.consumers["a"]] == ["Sigmoid", "Mul"]
    assert view.only_consumer("x").name == "first"
    assert view.only_consumer("a") is None  # a branch
    assert view.only_consumer("b") is None  # read once, but an output as well
    assert [view.uses(name) for name in ("x", "a", "b", "y", "pair", "gone")] == [1, 2, 2, 1, 0, 0]


def test_constants(diamond):
    view = GraphView(diamond)
    assert view.scalar("one") == 1.0
    assert view.scalar("pair") is None
    assert view.scalar("x") is None
    np.testing.assert_array_equal(view.value("pair"), [1, 2])
    assert view.value("x") is None


def test_a_node_that_reads_a_tensor_twice_counts_twice():
    model = model_of([node("Mul", ["x", "x"], ["y"])], {"x": [2]}, {"y": [2]})
    assert GraphView(model).uses("x") == 2
    assert GraphView(model).only_consumer("x") is None


def test_weights_listed_as_inputs_are_no_inputs():
    model = model_of([node("Add", ["x", "w"], ["y"])], {"x": [2], "w": [2]}, {"y": [2]}, {"w": [1.0, 2.0]})
    assert GraphView(model).inputs == ["x"]


def test_missing_optional_inputs_are_nothing():
    nodes = [node("Clip", ["x", "", "high"], ["y"])]
    view = GraphView(model_of(nodes, {"x": [2]}, {"y": [2]}, {"high": np.float32(1)}))
    assert set(view.consumers) == {"x", "high"}


def test_attributes():
    conv = node("Conv", ["x", "w"], ["y"], pads=[1, 2, 3, 4], group=2)
    assert list(attribute(conv, "pads")) == [1, 2, 3, 4]
    assert (attribute(conv, "group"), attribute(conv, "strides"), attribute(conv, "strides", 7)) == (
        2,
        None,
        7,
    )


def test_constant_keeps_order_of_a_transposed_array():
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T
    tensor = constant("t", array)
    assert list(tensor.dims) == [3, 2]
    np.testing.assert_array_equal(np.frombuffer(tensor.raw_data, np.float32), [0, 3, 1, 4, 2, 5])


def test_replace_input_reaches_every_use(diamond):
    replace_input(diamond.graph.node, "a", "x")
    assert [list(n.input) for n in diamond.graph.node] == [["x", "one"], ["x"], ["x", "b"]]


def test_removed_nodes_leave_the_others_the_objects_they_were(diamond):
    first, middle, last = diamond.graph.node
    remove_nodes(diamond.graph, [middle])
    assert [n.op_type for n in diamond.graph.node] == ["Add", "Mul"]
    first.name = "renamed"
    assert diamond.graph.node[0].name == "renamed"
    assert diamond.graph.node[1].output[0] == last.output[0]


def test_an_equal_node_is_not_the_same_node():
    twice = [node("Relu", ["x"], ["y"]), node("Relu", ["x"], ["z"])]
    model = model_of(twice, {"x": [1]}, {"y": [1], "z": [1]})
    model.graph.node[1].output[0] = "y"  # equal to the first by value
    remove_nodes(model.graph, [model.graph.node[1]])
    assert len(model.graph.node) == 1


def test_set_nodes_and_constants_may_take_their_own(diamond):
    set_nodes(diamond.graph, list(diamond.graph.node)[::-1])
    assert [n.op_type for n in diamond.graph.node] == ["Mul", "Sigmoid", "Add"]
    set_constants(diamond.graph, [t for t in diamond.graph.initializer if t.name == "one"])
    assert list(constants_of(diamond)) == ["one"]


def test_fresh_names():
    taken = {"a", "a.2"}
    assert [fresh_name(taken, n) for n in ("b", "b", "a", "a")] == ["b", "b.2", "a.3", "a.4"]
    assert taken == {"a", "a.2", "b", "b.2", "a.3", "a.4"}


def test_tensor_names(diamond):
    assert tensor_names(diamond) == {"x", "a", "b", "y", "one", "pair"}
    del diamond.graph.node[:]
    assert tensor_names(diamond) == {"x", "y", "b", "one", "pair"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_topological_order(diamond, order):
    x, wanted = noise(2, 3), run(diamond, {"x": noise(2, 3)})
    set_nodes(diamond.graph, [list(diamond.graph.node)[i] for i in order])
    topological_order(diamond.graph)
    assert [n.op_type for n in diamond.graph.node] == ["Add", "Sigmoid", "Mul"]
    np.testing.assert_array_equal(run(diamond, {"x": x})[0], wanted[0])


def test_topological_order_is_stable():
    nodes = [node("Relu", ["x"], [f"r{i}"]) for i in (3, 1, 2)]
    model = model_of(nodes, {"x": [1]}, {f"r{i}": [1] for i in (1, 2, 3)})
    topological_order(model.graph)
    assert [n.output[0] for n in model.graph.node] == ["r3", "r1", "r2"]


@pytest.mark.parametrize("source", ["y", "nowhere"])
def test_what_has_no_order(diamond, source):
    diamond.graph.node[0].input[1] = source
    with pytest.raises(ValueError, match="a cycle or an unknown tensor at node 'a'"):
        topological_order(diamond.graph)


def test_the_builder_itself(diamond):
    assert difference(diamond, diamond, {"x": noise(2, 3)}) == 0
