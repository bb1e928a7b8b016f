from itertools import product

import pytest

from edgekit.errors import UsageError
from edgekit.machine import Machine
from edgekit_export.target import AVX2, PI4, PI5, TARGETS, X86, Kind, target_here, target_of


def test_each_target_has_all_costs():
    for target in TARGETS.values():
        assert set(target.costs) == set(product(Kind, ("float32", "int8")))
        assert all(cost.mac > 0 and cost.output >= 0 for cost in target.costs.values())


def test_names():
    assert target_of("pi5") is PI5
    assert target_of("pi4") is PI4
    with pytest.raises(UsageError, match=r"got 'pi3'.*pi4, pi5, x86"):
        target_of("pi3")


@pytest.mark.parametrize(
    ("architecture", "features", "target"),
    [
        ("aarch64", ("asimd",), PI4),
        ("aarch64", ("asimd", "asimddp"), PI5),
        ("arm64", (), PI4),
        ("x86_64", ("avx2", "avx512_vnni", "avx512f"), X86),
        ("x86_64", ("avx2", "avx_vnni"), X86),
        ("AMD64", ("avx2",), AVX2),
        ("x86_64", ("asimddp",), AVX2),
    ],
)
def test_the_one_most_like_a_machine(architecture, features, target):
    assert target_here(Machine("some", architecture, 4, features, "3.11", {})) is target


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_only_processors_without_dot_product_saturate(target):
    assert not (target.saturates and target.dot_product)


def test_dot_product_pays_in_products_of_matrices_only():
    gains = {kind: PI4.costs[kind, "int8"].mac / PI5.costs[kind, "int8"].mac for kind in Kind}
    assert gains[Kind.POINTWISE] > 2 < gains[Kind.SPATIAL]
    assert gains[Kind.DEPTHWISE] == 1
