import pytest

from edgekit.errors import ModelError
from edgekit_export.budget.kernels import layer_of_kernel
from export.tests.convert.graphs import model_of, node, noise


def branches():
    """Two convolutions, added and rectified, and a third behind."""
    weights = {name: noise(4, 4, 1, 1, seed=i) for i, name in enumerate(("u", "v", "w"))}
    nodes = [
        node("Conv", ["x", "u"], ["a"]),
        node("Conv", ["x", "v"], ["b"]),
        node("Add", ["a", "b"], ["sum"]),
        node("Relu", ["sum"], ["r"]),
        node("Conv", ["r", "w"], ["c"]),
        node("Sigmoid", ["c"], ["y"]),
    ]
    return model_of(nodes, {"x": [1, 4, 3, 3]}, {"y": [1, 4, 3, 3]}, weights)


LAYERS = ["a", "b", "c"]


def test_by_name():
    kernels = ["<a>_token_3", "<b>", "c_nchwc"]
    assert layer_of_kernel(branches(), LAYERS, kernels) == dict(zip(kernels, LAYERS, strict=True))


def test_what_was_fused_behind_a_layer():
    """The sum of two branches is fused into the later one."""
    found = layer_of_kernel(branches(), LAYERS, ["a_nchwc", "r_nchwc", "y_nchwc"])
    assert found == {"a_nchwc": "a", "r_nchwc": "b", "y_nchwc": "c"}


def test_a_product_without_a_weight_is_nobodys():
    found = layer_of_kernel(branches(), LAYERS, ["<a>", "<b>", "<c>", "elsewhere"])
    assert "elsewhere" not in found


def test_a_layer_without_a_kernel():
    with pytest.raises(ModelError, match="no kernel found for 1 layers: c"):
        layer_of_kernel(branches(), LAYERS, ["<a>", "<b>"])
