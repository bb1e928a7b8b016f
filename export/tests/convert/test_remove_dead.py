import numpy as np
import pytest

from edgekit_export.convert.remove_dead import remove_dead, remove_identities
from export.tests.convert.graphs import constants_of, copy_of, difference, model_of, node, noise, ops

X = noise(2, 3)
SHAPES = {"inputs": {"x": [2, 3]}, "constants": {"one": [1.0]}}


def removed(nodes, outputs, **more):
    before = model_of(nodes, outputs={name: [2, 3] for name in outputs}, **{**SHAPES, **more})
    after = copy_of(before)
    remove_identities(after)
    assert [v.name for v in after.graph.output] == list(outputs)
    assert difference(before, after, {"x": X}) == 0
    return ops(after)


def test_a_chain_in_the_middle():
    nodes = [
        node("Add", ["x", "one"], ["a"]),
        node("Identity", ["a"], ["b"]),
        node("Identity", ["b"], ["c"]),
        node("Relu", ["c"], ["y"]),
    ]
    assert removed(nodes, ["y"]) == {"Add": 1, "Relu": 1}


def test_a_chain_before_an_output_keeps_the_outputs_name():
    nodes = [node("Relu", ["x"], ["a"]), node("Identity", ["a"], ["b"]), node("Identity", ["b"], ["y"])]
    assert removed(nodes, ["y"]) == {"Relu": 1}


def test_a_branch_reads_past_an_output():
    nodes = [
        node("Relu", ["x"], ["a"]),
        node("Identity", ["a"], ["y"]),
        node("Identity", ["a"], ["b"]),
        node("Neg", ["b"], ["z"]),
        node("Exp", ["a"], ["w"]),
    ]
    assert removed(nodes, ["y", "z", "w"]) == {"Relu": 1, "Neg": 1, "Exp": 1}


def test_two_outputs_of_the_same_value_need_a_node():
    nodes = [node("Relu", ["x"], ["a"]), node("Identity", ["a"], ["y"]), node("Identity", ["a"], ["z"])]
    assert removed(nodes, ["y", "z"]) == {"Relu": 1, "Identity": 1}


def test_an_output_that_is_read_on():
    nodes = [node("Relu", ["x"], ["y"]), node("Identity", ["y"], ["a"]), node("Neg", ["a"], ["z"])]
    assert removed(nodes, ["y", "z"]) == {"Relu": 1, "Neg": 1}


@pytest.mark.parametrize("source", ["x", "table"])
def test_an_input_or_a_constant_handed_to_an_output(source):
    nodes = [node("Identity", [source], ["y"]), node("Relu", ["x"], ["z"])]
    table = {"table": noise(2, 3, seed=1)}
    assert removed(nodes, ["y", "z"], constants=table) == {"Identity": 1, "Relu": 1}


def test_identity_of_a_constant():
    nodes = [node("Identity", ["one"], ["w"]), node("Add", ["x", "w"], ["y"])]
    assert removed(nodes, ["y"]) == {"Add": 1}


@pytest.mark.parametrize("outputs", [["d"], ["d", "mask"]])
def test_dropout_in_inference(outputs):
    nodes = [node("Relu", ["x"], ["a"]), node("Dropout", ["a"], outputs), node("Neg", ["d"], ["y"])]
    assert removed(nodes, ["y"]) == {"Relu": 1, "Neg": 1}


def test_dropout_whose_mask_is_read():
    nodes = [node("Dropout", ["x"], ["d", "mask"]), node("Where", ["mask", "d", "one"], ["y"])]
    assert removed(nodes, ["y"]) == {"Dropout": 1, "Where": 1}


@pytest.mark.parametrize(("training", "left"), [(True, 1), (False, 0)])
def test_dropout_that_is_told_to_train_stays(training, left):
    constants = {"ratio": np.float32(0.5), "training": np.array(training)}
    nodes = [
        node("Relu", ["x"], ["a"]),
        node("Dropout", ["a", "ratio", "training"], ["d"]),
        node("Neg", ["d"], ["y"]),
    ]
    model = model_of(nodes, {"x": [2, 3]}, {"y": [2, 3]}, constants)
    remove_identities(model)
    assert ops(model).get("Dropout", 0) == left


def test_dead_nodes_and_constants():
    nodes = [
        node("Add", ["x", "one"], ["y"]),
        node("Mul", ["x", "two"], ["unused"]),
        node("Neg", ["unused"], ["unused too"]),
        node("Split", ["x"], ["first", "second"], axis=0, num_outputs=2),
        node("Relu", ["second"], ["z"]),
    ]
    constants = {"one": [1.0], "two": [2.0], "three": [3.0], "given": noise(2, 3)}
    before = model_of(nodes, {"x": [2, 3]}, {"y": [2, 3], "z": [1, 3], "given": [2, 3]}, constants)
    after = copy_of(before)
    remove_dead(after)
    assert ops(after) == {"Add": 1, "Split": 1, "Relu": 1}
    assert list(constants_of(after)) == ["one", "given"]
    assert difference(before, after, {"x": X}) == 0
    remove_dead(after)
    assert len(after.graph.node) == 3
