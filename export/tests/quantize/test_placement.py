import pytest

from edgekit_export.quantize.placement import Mode, layers, place
from export.tests.convert.graphs import model_of, node
from export.tests.quantize.networks import gated, residual, values


def names(model):
    return [n.output[0] for n in layers(model)]


def all_int8(model):
    return dict.fromkeys(names(model), Mode.INT8)


def test_layers_of_a_graph():
    assert names(residual()) == ["conv0", "conv1", "conv2", "conv3", "scores"]
    assert names(gated()) == ["conv0", "conv1", "logits"]


def test_activations_are_absorbed_and_limit_the_range():
    model = residual()
    placed = place(model, all_int8(model))
    assert placed.absorbed == {"clip0": "conv0", "clip1": "conv1", "relu0": "add0"}
    assert placed.limits == {"clip0": 6.0, "clip1": 6.0}
    assert {"conv2", "conv3", "relu0"} <= set(placed.coded)
    assert "conv0" not in placed.coded
    assert "scores" not in placed.coded  # a Gemm may give floats


def test_moved_elements_keep_their_code():
    model = residual()
    placed = place(model, all_int8(model))
    assert placed.same_code == {"reshape0": "globalaveragepool0"}
    assert "reshape0" not in placed.own_code


def test_float_everywhere_codes_nothing():
    model = residual()
    for modes in ({}, dict.fromkeys(names(model), Mode.WEIGHT8), dict.fromkeys(names(model), Mode.HALF)):
        assert place(model, modes).coded == []


def test_one_layer_alone():
    placed = place(residual(), {"conv2": Mode.INT8})
    assert placed.coded == ["clip1", "conv2"]


def test_fine_tensors_lie_between_wide_layers_only():
    model = residual()
    modes = all_int8(model)
    assert place(model, {**modes, "conv0": Mode.WIDE}).fine == []
    assert place(model, {**modes, "conv0": Mode.WIDE, "conv1": Mode.WIDE}).fine == ["clip0"]
    placed = place(model, dict.fromkeys(names(model), Mode.WIDE))
    assert placed.fine == ["clip0", "clip1"]  # conv2 is read by an Add too


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([node("Conv", ["x", "y2"], ["y"])], {}),
        ([node("Gemm", ["x", "w", "b"], ["y"], alpha=2.0)], {"w": values(3, 4), "b": values(4)}),
        ([node("Gemm", ["x", "w"], ["y"], transA=1)], {"w": values(3, 4)}),
        ([node("MatMul", ["w", "x"], ["y"])], {"w": values(3, 4)}),
    ],
)
def test_what_is_no_layer(nodes, constants):
    shape = [1, 3] if constants else [1, 3, 4, 4]
    model = model_of(nodes, {"x": shape, "y2": [4, 3, 1, 1]}, {"y": [1] * len(shape)}, constants)
    assert layers(model) == []
