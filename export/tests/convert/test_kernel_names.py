import pytest

from edgekit_export.convert.kernel_names import name_nodes, tensor_of
from export.tests.convert.graphs import model_of, node


@pytest.mark.parametrize(
    ("kernel", "tensor"),
    [
        ("<conv2>", "conv2"),
        ("<conv2>_token_6", "conv2"),
        ("fused <conv2>", "conv2"),
        ("<a<b>>_token_1", "a<b>"),
        ("clip0.k_nchwc", "clip0.k"),
        ("ReorderOutput", "ReorderOutput"),
        ("", ""),
    ],
)
def test_tensor_of(kernel, tensor):
    assert tensor_of(kernel) == tensor


def test_names_are_given_to_a_copy():
    model = model_of([node("Relu", ["x"], ["y"])], {"x": [2]}, {"y": [2]})
    assert [n.name for n in name_nodes(model).graph.node] == ["<y>"]
    assert [n.name for n in model.graph.node] == [""]
