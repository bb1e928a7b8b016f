from itertools import pairwise

import numpy as np
import pytest

from edgekit.errors import ModelError
from edgekit_export.convert.graph import GraphView
from edgekit_export.layers.operators import Parameters, operators, paired, real_unit
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.quantize import LayerReport
from export.tests.convert.graphs import model_of, node
from export.tests.quantize.networks import gated, pictures, residual


def listed(model):
    view = GraphView(model)
    return operators(view, Parameters(view))


def test_layers_and_pointwise_operators_of_computed_tensors():
    names = [str(found) for found in listed(residual())]
    assert names == [
        "Conv 8×3×3×3",
        "Conv 8×1×3×3",
        "Conv 8×8×1×1",
        "Conv 8×8×1×1",
        "Add",
        "GlobalAveragePool",
        "Gemm 5×8",
    ]


RECIPES = {
    "int8": Recipe(rounding="nearest"),
    "wide": Recipe(rounding="nearest", wide=("conv0", "conv1")),
    "weight8": Recipe(rounding="nearest", mode=Mode.WEIGHT8),
    **{
        f"weight{bits}": Recipe(rounding="nearest", mode=Mode(f"weight{bits}")) for bits in (4, 6, 10, 12, 16)
    },
    "half": HALF_WEIGHTS,
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("make", [residual, gated])
def test_a_reduced_graph_has_the_same_operators_and_tells_each_mode(make, recipe):
    full, size = make(), (16, 16) if make is residual else (8, 24)
    made = quantize(full, pictures(4, size), recipe)
    both = paired(listed(full), listed(made.model))
    parameters = Parameters(GraphView(made.model))
    reports: dict[str, LayerReport] = {layer.name: layer for layer in made.layers}
    found = [(one, other) for one, other in both if one.shape]
    assert [one.node.output[0] for one, _ in found] == list(reports)
    for one, other in found:
        assert parameters.mode(other.node.input[1]) is reports[one.node.output[0]].mode


def test_stored_parameters_unfold():
    constants = {
        "q": np.asarray([[1, -2], [3, 4]], np.int8),
        "s": np.asarray([0.5, 2.0], np.float32),
        "z": np.asarray([0, 1], np.int8),
        "h": np.asarray([1.5], np.float16),
        "two": np.float32(2),
    }
    nodes = [
        node("DequantizeLinear", ["q", "s", "z"], ["rows"], axis=0),
        node("DequantizeLinear", ["q", "s", "z"], ["columns"], axis=1),
        node("Cast", ["h"], ["f"], to=1),
        node("Mul", ["f", "two"], ["scaled"]),
        node("Mul", ["x", "two"], ["computed"]),
    ]
    outputs = {"rows": [2, 2], "columns": [2, 2], "scaled": [1], "computed": [1]}
    parameters = Parameters(GraphView(model_of(nodes, {"x": [1]}, outputs, constants)))
    np.testing.assert_array_equal(parameters.value("rows"), [[0.5, -1.0], [4.0, 6.0]])
    np.testing.assert_array_equal(parameters.value("columns"), [[0.5, -6.0], [1.5, 6.0]])
    np.testing.assert_array_equal(parameters.value("scaled"), [3.0])
    assert parameters.value("scaled").dtype == np.float32
    assert (parameters.mode("rows"), parameters.mode("scaled")) == (Mode.INT8, Mode.HALF)
    assert "computed" not in parameters


def linear(*widths):
    """MatMuls in a row, of these widths."""
    nodes = [node("MatMul", [f"t{i}", f"w{i}"], [f"t{i + 1}"]) for i in range(len(widths) - 1)]
    constants = {f"w{i}": np.ones((a, b)) for i, (a, b) in enumerate(pairwise(widths))}
    last = len(widths) - 1
    return model_of(nodes, {"t0": [1, widths[0]]}, {f"t{last}": [1, widths[-1]]}, constants)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (linear(2, 5, 3), r"operator 0 is MatMul 2×4 \(t1\) in full precision and MatMul 2×5"),
        (linear(2, 4), "2 operators in full precision, 1 in the reduced graph"),
        (linear(2, 4, 3, 3), "2 operators in full precision, 3 in the reduced graph"),
    ],
)
def test_another_network_is_refused(other, message):
    with pytest.raises(ModelError, match=message):
        paired(listed(linear(2, 4, 3)), listed(other))


def test_the_unit_of_whole_numbers_follows_from_the_weights():
    weight = np.random.default_rng(0).normal(0, 1, (8, 27))
    assert real_unit(weight, np.rint(weight / 1e-4)) == pytest.approx(1e-4, rel=1e-5)
    assert real_unit(weight, np.zeros_like(weight)) == 1.0
