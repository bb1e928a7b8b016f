import numpy as np
import pytest

from edgekit_export.convert.rewrite_hard_swish import constant_divisions, rewrite_hard_swish
from export.tests.convert.graphs import constants_of, copy_of, difference, model_of, node, noise, ops

X = np.concatenate([noise(2, 30, scale=3), np.float32([[-3, 3] * 15, [0, -0.0, 9] * 10])])
NUMBERS = {
    "three": [3.0],
    "zero": np.float32(0),
    "six": np.float32(6),
    "six1": [6.0],
    "sixth": np.float32([1 / 6]),
}
ADD = node("Add", ["x", "three"], ["a"])
CLIP = node("Clip", ["a", "zero", "six"], ["c"])
SWISH, SIGMOID = {"HardSigmoid": 1, "Mul": 1}, {"HardSigmoid": 1}


def rewritten(*nodes, outputs=("y",), **numbers):
    shape = list(X.shape)
    before = model_of(nodes, {"x": shape}, dict.fromkeys(outputs, shape), {**NUMBERS, **numbers})
    after = copy_of(before)
    rewrite_hard_swish(after)
    assert difference(before, after, {"x": X}) < 2e-6
    return ops(after)


@pytest.mark.parametrize(
    "nodes",
    [
        (node("Mul", ["x", "c"], ["m"]), node("Div", ["m", "six1"], ["y"])),  # as in PP-OCRv4
        (node("Mul", ["c", "x"], ["m"]), node("Div", ["m", "six"], ["y"])),
        (node("Mul", ["x", "c"], ["m"]), node("Mul", ["m", "sixth"], ["y"])),
        (node("Div", ["c", "six1"], ["m"]), node("Mul", ["x", "m"], ["y"])),
        (node("Mul", ["c", "sixth"], ["m"]), node("Mul", ["m", "x"], ["y"])),
    ],
)
def test_hard_swish(nodes):
    assert rewritten(ADD, CLIP, *nodes) == SWISH


def test_the_constant_may_come_first():
    add = node("Add", ["three", "x"], ["a"])
    assert rewritten(add, CLIP, node("Mul", ["x", "c"], ["m"]), node("Div", ["m", "six"], ["y"])) == SWISH


@pytest.mark.parametrize("last", [node("Div", ["c", "six"], ["y"]), node("Mul", ["c", "sixth"], ["y"])])
def test_hard_sigmoid(last):
    assert rewritten(ADD, CLIP, last) == SIGMOID


def test_hard_sigmoid_of_another_slope():
    nodes = [node("Mul", ["x", "slope"], ["s"]), node("Add", ["s", "half"], ["a"])]
    nodes += [node("Clip", ["a", "zero", "two"], ["c"]), node("Div", ["c", "two"], ["y"])]
    assert rewritten(*nodes, slope=[0.2], half=[0.5], two=np.float32(2)) == {"Mul": 1, "HardSigmoid": 1}


def test_a_sigmoid_that_gates_something_else():
    nodes = [
        ADD,
        CLIP,
        node("Div", ["c", "six"], ["g"]),
        node("Relu", ["x"], ["r"]),
        node("Mul", ["r", "g"], ["y"]),
    ]
    assert rewritten(*nodes) == {"HardSigmoid": 1, "Relu": 1, "Mul": 1}


def test_parameters_are_the_papers():
    nodes = [ADD, CLIP, node("Mul", ["x", "c"], ["m"]), node("Div", ["m", "six"], ["y"])]
    model = model_of(nodes, {"x": [1]}, {"y": [1]}, NUMBERS)
    rewrite_hard_swish(model)
    found = {a.name: a.f for a in model.graph.node[0].attribute}
    assert found == {"alpha": pytest.approx(1 / 6), "beta": 0.5}
    assert not model.graph.initializer


LAST = (node("Mul", ["x", "c"], ["m"]), node("Div", ["m", "six"], ["y"]))


@pytest.mark.parametrize(
    ("nodes", "outputs"),
    [
        ((ADD, CLIP, node("Mul", ["x", "c"], ["m"]), node("Div", ["m", "five"], ["y"])), ["y"]),
        ((ADD, CLIP, node("Mul", ["x", "c"], ["m"]), node("Div", ["six", "m"], ["y"])), ["y"]),
        ((ADD, CLIP, node("Mul", ["x", "c"], ["y"])), ["y"]),
        ((ADD, CLIP, node("Div", ["c", "five"], ["y"])), ["y"]),
        ((ADD, CLIP, node("Relu", ["c"], ["y"])), ["y"]),
        ((ADD, CLIP, *LAST), ["y", "a"]),
        ((ADD, CLIP, *LAST), ["y", "c"]),
        ((ADD, CLIP, *LAST), ["y", "m"]),
        ((ADD, CLIP, *LAST, node("Neg", ["a"], ["z"])), ["y", "z"]),
        ((ADD, CLIP, *LAST, node("Neg", ["c"], ["z"])), ["y", "z"]),
        ((ADD, CLIP, *LAST, node("Neg", ["m"], ["z"])), ["y", "z"]),
        ((ADD, node("Clip", ["a", "one", "six"], ["c"]), *LAST), ["y"]),
        ((ADD, node("Clip", ["a", "zero"], ["c"]), *LAST), ["y"]),
        ((ADD, node("Clip", ["a", "", "six"], ["c"]), *LAST), ["y"]),
        ((node("Add", ["x", "x"], ["a"]), CLIP, *LAST), ["y"]),
        ((node("Sub", ["x", "three"], ["a"]), CLIP, *LAST), ["y"]),
        ((node("Add", ["x", "row"], ["a"]), CLIP, *LAST), ["y"]),
        ((node("Clip", ["x", "zero", "six"], ["c"]), *LAST), ["y"]),
    ],
)
def test_what_only_looks_like_it_stays(nodes, outputs):
    before = {op: sum(n.op_type == op for n in nodes) for op in {n.op_type for n in nodes}}
    numbers = {"five": [5.0], "one": np.float32(1), "row": noise(30)}
    assert rewritten(*nodes, outputs=outputs, **numbers) == before


def test_a_gate_beside_a_sigmoid_output():
    """``clip / 6`` is an output and the gate at once: the product is taken from it."""
    nodes = [ADD, CLIP, node("Div", ["c", "six"], ["g"]), node("Mul", ["x", "g"], ["y"])]
    assert rewritten(*nodes, outputs=["y", "g"]) == {"HardSigmoid": 1, "Mul": 1}


def test_two_in_a_row():
    second = [node("Add", ["y", "three"], ["a2"]), node("Clip", ["a2", "zero", "six"], ["c2"])]
    second += [node("Mul", ["y", "c2"], ["m2"]), node("Div", ["m2", "six"], ["z"])]
    assert rewritten(ADD, CLIP, *LAST, *second, outputs=["z"]) == {"HardSigmoid": 2, "Mul": 2}


def test_integers_have_no_sigmoid():
    constants = {"three": np.int32(3), "zero": np.int32(0), "six": np.int32(6)}
    nodes = [node("Cast", ["x"], ["i"], to=6), node("Add", ["i", "three"], ["a"])]
    nodes += [node("Clip", ["a", "zero", "six"], ["c"]), node("Div", ["c", "six"], ["d"])]
    nodes.append(node("Cast", ["d"], ["y"], to=1))
    before = model_of(nodes, {"x": [4, 30]}, {"y": [4, 30]}, constants)
    after = copy_of(before)
    rewrite_hard_swish(after)
    assert ops(after) == ops(before)
    assert difference(before, after, {"x": X}) == 0


@pytest.mark.parametrize("divisor", [2.0, 0.25, -8.0, 1.0])
def test_powers_of_two_become_products(divisor):
    before = model_of([node("Div", ["x", "d"], ["y"])], {"x": [4, 30]}, {"y": [4, 30]}, {"d": [divisor]})
    after = copy_of(before)
    constant_divisions(after)
    assert ops(after) == {"Mul": 1}
    assert constants_of(after)[after.graph.node[0].input[1]] == [1 / divisor]
    assert difference(before, after, {"x": X}) == 0  # to the bit


@pytest.mark.parametrize("divisor", [[3.0], [0.0], [2.0, 2.0], np.array([2], np.int32)])
def test_other_divisions_stay(divisor):
    constants, x = {"d": divisor}, {"x": [4, 1]}
    nodes = [node("Div", ["x", "d"], ["y"])]
    if np.asarray(divisor).dtype == np.int32:
        nodes = [
            node("Cast", ["x"], ["i"], to=6),
            node("Div", ["i", "d"], ["k"]),
            node("Cast", ["k"], ["y"], to=1),
        ]
    model = model_of(nodes, x, {"y": [4, np.size(divisor)]}, constants)
    constant_divisions(model)
    assert ops(model)["Div"] == 1


def test_a_computed_divisor_stays():
    model = model_of([node("Div", ["x", "x"], ["y"])], {"x": [1]}, {"y": [1]})
    constant_divisions(model)
    assert ops(model) == {"Div": 1}
