from edgekit_export.quantize.exact import is_exact
from edgekit_export.quantize.placement import Mode, Placement
from export.tests.convert.graphs import model_of, node


def graph(*nodes):
    return model_of(list(nodes), {"x": [1, 4]}, {"y": [1, 4]})


def test_what_is_exact():
    integers = Placement({"a": Mode.INT8, "b": Mode.WIDE})
    ends_in_move = graph(node("Relu", ["x"], ["r"]), node("Flatten", ["r"], ["y"]))
    assert is_exact(ends_in_move, integers)
    assert not is_exact(ends_in_move, Placement({}))
    assert not is_exact(ends_in_move, Placement({"a": Mode.INT8, "b": Mode.WEIGHT8}))
    assert not is_exact(graph(node("Softmax", ["x"], ["r"]), node("Flatten", ["r"], ["y"])), integers)
    assert not is_exact(graph(node("Relu", ["x"], ["y"])), integers)
