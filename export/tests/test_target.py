from itertools import product

import pytest

from edgekit.errors import UsageError
from edgekit_export.target import PI4, PI5, TARGETS, Kind, target_of


def test_each_target_has_all_costs():
    for target in TARGETS.values():
        assert set(target.costs) == set(product(Kind, ("float32", "int8")))
        assert all(cost.mac > 0 and cost.output >= 0 for cost in target.costs.values())


def test_names():
    assert target_of("pi5") is PI5
    assert target_of("pi4") is PI4
    with pytest.raises(UsageError, match=r"got 'pi3'.*pi4, pi5, x86"):
        target_of("pi3")


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_only_processors_without_dot_product_saturate(target):
    assert not (target.saturates and target.dot_product)


def test_dot_product_pays_in_products_of_matrices_only():
    gains = {kind: PI4.costs[kind, "int8"].mac / PI5.costs[kind, "int8"].mac for kind in Kind}
    assert gains[Kind.POINTWISE] > 2 < gains[Kind.SPATIAL]
    assert gains[Kind.DEPTHWISE] == 1
