"""The normal form of networks that nobody thought of: random layers, branches and outputs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit_export.convert.normalize import normalize
from export.tests.convert.graphs import difference, model_of, node, noise, ops, run

CHANNELS = 4
LAYERS = st.sampled_from(
    ["conv", "padded", "depthwise", "norm", "scale", "scale first", "shift", "minus", "divide", "two", "swish",
     "swish2", "sigmoid", "identity", "dropout", "relu", "negate", "branch", "join", "spatial"]
)  # fmt: skip


class Builder:
    """Adds layers to a graph; every tensor has four channels, and sides are what is left of them."""

    def __init__(self, seed):
        self.nodes, self.constants, self.last, self.seed, self.kept = [], {}, "x", seed, "x"

    def constant(self, *shape, positive=False):
        self.seed += 1
        name = f"k{len(self.constants)}"
        values = noise(*shape, seed=self.seed, scale=0.5)
        self.constants[name] = np.abs(values) + 0.5 if positive else values
        return name

    def number(self, value):
        name = f"n{len(self.constants)}"
        self.constants[name] = np.float32(value)
        return name

    def add(self, op, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(node(op, inputs, [name], **attributes))
        self.last = name

    def layer(self, kind):
        x = self.last
        a_channel = (1, CHANNELS, 1, 1)
        if kind == "conv":
            self.add("Conv", x, self.constant(CHANNELS, CHANNELS, 1, 1), self.constant(CHANNELS))
        elif kind == "padded":
            self.add("Conv", x, self.constant(CHANNELS, CHANNELS, 3, 3), pads=[1, 1, 1, 1])
        elif kind == "depthwise":
            self.add("Conv", x, self.constant(CHANNELS, 1, 3, 3), group=CHANNELS, pads=[0, 2, 2, 0])
        elif kind == "norm":
            parts = [self.constant(CHANNELS) for _ in range(3)]
            self.add("BatchNormalization", x, *parts, self.constant(CHANNELS, positive=True))
        elif kind in ("scale", "scale first"):
            pair = (x, self.constant(*a_channel))
            self.add("Mul", *(pair if kind == "scale" else pair[::-1]))
        elif kind in ("shift", "minus"):
            self.add("Add" if kind == "shift" else "Sub", x, self.constant(*a_channel))
        elif kind in ("divide", "two"):
            self.add(
                "Div", x, self.constant(*a_channel, positive=True) if kind == "divide" else self.number(2)
            )
        elif kind == "spatial":
            self.add("Mul", x, self.constant(6))
        elif kind in ("swish", "swish2", "sigmoid"):
            self.add("Add", x, self.number(3))
            self.add("Clip", self.last, self.number(0), self.number(6))
            if kind == "swish":
                self.add("Mul", x, self.last)
            self.add("Div", self.last, self.number(6))
            if kind == "swish2":
                self.add("Mul", self.last, x)
        elif kind == "branch":
            self.kept = x
        elif kind == "join":
            self.add("Add", x, self.kept)
        else:
            op = {"identity": "Identity", "dropout": "Dropout", "relu": "Relu", "negate": "Neg"}[kind]
            self.add(op, x)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    layers=st.lists(LAYERS, max_size=10),
    opset=st.sampled_from([11, 12, 13, 18]),
    also=st.integers(0, 9),
)
def test_the_function_stays(layers, opset, also):
    builder = Builder(seed=len(layers))
    for kind in layers:
        builder.layer(kind)
    if not builder.nodes:
        builder.layer("relu")
    outputs = {builder.last: (1, CHANNELS, 6, 6)}
    outputs[builder.nodes[also % len(builder.nodes)].output[0]] = (1, CHANNELS, 6, 6)
    before = model_of(builder.nodes, {"x": (1, CHANNELS, 6, 6)}, outputs, builder.constants, opset=opset)
    after, x = normalize(before), noise(1, CHANNELS, 6, 6)
    scale = max(1.0, *(float(np.abs(a).max()) for a in run(before, {"x": x})))
    assert difference(before, after, {"x": x}) < 2e-5 * scale
    assert "BatchNormalization" not in ops(after)
    assert len(after.graph.node) <= len(before.graph.node) + ops(before).get("BatchNormalization", 0)
