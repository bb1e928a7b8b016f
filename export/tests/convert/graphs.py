"""Builds graphs for the tests of the passes, and runs them before and after."""

from collections import Counter

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgekit_export.convert.session import session_of

node = helper.make_node


def model_of(nodes, inputs, outputs, constants=(), opset=18, ir_version=8):
    """A checked model.

    ``inputs`` and ``outputs`` are name → shape of a float tensor, or a whole value info; ``constants`` are
    name → array, float64 being stored as float32.
    """
    arrays = {k: np.asarray(v) for k, v in dict(constants).items()}
    arrays = {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in arrays.items()}
    graph = helper.make_graph(
        nodes,
        "test",
        _values(inputs),
        _values(outputs),
        [numpy_helper.from_array(v, k) for k, v in arrays.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
    onnx.checker.check_model(made)
    return made


def _values(spec):
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        if shape is None or isinstance(shape, (list, tuple))
        else shape
        for name, shape in spec.items()
    ]


def copy_of(model):
    made = onnx.ModelProto()
    made.CopyFrom(model)
    return made


def ops(model):
    """Operators of the graph with their numbers."""
    return dict(Counter(n.op_type for n in model.graph.node))


def constants_of(model):
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}


def run(model, feeds):
    return session_of(model, threads=1, optimization="none").run(feeds)


def difference(before, after, feeds):
    """Largest absolute difference of any output between two models on the same input."""
    wanted, got = run(before, feeds), run(after, feeds)
    assert [a.shape for a in wanted] == [a.shape for a in got]
    assert [a.dtype for a in wanted] == [a.dtype for a in got]
    return max(_largest(a.astype(np.float64), b.astype(np.float64)) for a, b in zip(wanted, got, strict=True))


def _largest(a, b):
    with np.errstate(invalid="ignore"):
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    return float(apart.max(initial=0.0))


def noise(*shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)
