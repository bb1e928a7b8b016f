import numpy as np
import pytest

from edgekit_export.quantize.integer import Affine
from edgekit_export.quantize.odd_ratios import DENOMINATOR, odd_fraction, settle_ratios
from edgekit_export.quantize.placement import Placement
from export.tests.convert.graphs import model_of, node


def settle(nodes, scales, fixed=()):
    model = model_of(nodes, {n: [1, 4] for n in ("a", "b")}, {nodes[-1].output[0]: [1, 4]})
    placement = Placement({}, coded=list(scales))
    codes = {name: Affine(scale, 100) for name, scale in scales.items()}
    return settle_ratios(model, placement, codes, set(fixed)), placement


def multiple(scale, target):
    return scale / target * DENOMINATOR


def test_sum_of_two():
    codes, placement = settle([node("Add", ["a", "b"], ["y"])], {"a": 0.0137, "b": 0.0211, "y": 0.0301})
    for name, before in (("a", 0.0137), ("b", 0.0211)):
        found = multiple(codes[name].scale, codes["y"].scale)
        assert found == pytest.approx(round(found), abs=1e-4)
        assert codes[name].scale == pytest.approx(before, rel=0.003)
        assert codes[name].zero_point == 100
    assert codes["y"].scale == 0.0301
    assert not placement.apart


def test_a_chain_is_settled_from_its_end():
    nodes = [node("Add", ["a", "b"], ["m"]), node("Add", ["m", "b2"], ["y"])]
    nodes.insert(0, node("Relu", ["b"], ["b2"]))
    codes, placement = settle(nodes, {"a": 0.01, "b": 0.02, "b2": 0.02, "m": 0.03, "y": 0.04})
    for name, target in (("m", "y"), ("b2", "y"), ("a", "m"), ("b", "m")):
        found = multiple(codes[name].scale, codes[target].scale)
        assert found == pytest.approx(round(found), abs=1e-4)
    assert not placement.apart


def test_what_cannot_be_settled_is_computed_in_float():
    codes, placement = settle(
        [node("Add", ["a", "b"], ["y"])], {"a": 0.0137, "b": 0.0211, "y": 0.0301}, fixed=["a"]
    )
    assert placement.apart == {"y"}
    assert codes["b"].scale == 0.0211


@pytest.mark.parametrize("fixed", [(), ("y",), ("y", "a"), ("a", "b")])
def test_product(fixed):
    codes, placement = settle([node("Mul", ["a", "b"], ["y"])], {"a": 0.0137, "b": 0.0041, "y": 0.002}, fixed)
    ratio = codes["a"].scale * codes["b"].scale / codes["y"].scale
    numerator, denominator = odd_fraction(ratio)
    assert denominator % 2 == 1
    assert ratio == pytest.approx(numerator / denominator, rel=1e-6)
    assert not placement.apart


def test_product_with_nothing_left_to_move():
    _, placement = settle(
        [node("Mul", ["a", "b"], ["y"])], {"a": 0.0137, "b": 0.0041, "y": 0.002}, ["a", "b", "y"]
    )
    assert placement.apart == {"y"}


@pytest.mark.parametrize("ratio", [0.5, 0.25, 0.3333, 1.0, 1.7, 0.001])
def test_odd_fraction_is_near(ratio):
    numerator, denominator = odd_fraction(ratio)
    assert denominator % 2 == 1
    assert numerator >= 1
    assert np.abs(numerator / denominator / ratio - 1) < 0.05
