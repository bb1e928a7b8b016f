"""Small networks in normal form, with the traits that quantisers trip over."""

import numpy as np
from onnx import TensorProto, helper

from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.normalize import normalize
from export.tests.convert.graphs import model_of, node, noise

SIZE = 16


def residual(mean=127.0, seed=0):
    """uint8 picture → stem, depthwise, two branches added, pooled, linear; ReLU6, uneven channels."""
    rng = np.random.default_rng(seed)
    uneven = np.exp(rng.normal(0, 1.0, (8, 1, 1, 1)))
    constants = {
        "w0": rng.normal(0, 0.4, (8, 3, 3, 3)) * uneven,
        "b0": rng.normal(0, 0.5, 8),
        "w1": rng.normal(0, 0.5, (8, 1, 3, 3)) / uneven,
        "b1": rng.normal(0.5, 0.5, 8),
        "w2": rng.normal(0, 0.5, (8, 8, 1, 1)),
        "b2": rng.normal(0, 0.2, 8),
        "w3": rng.normal(0, 0.5, (8, 8, 1, 1)),
        "b3": rng.normal(0, 0.2, 8),
        "w4": rng.normal(0, 0.5, (5, 8)),
        "b4": rng.normal(0, 0.2, 5),
        "zero": np.float32(0),
        "six": np.float32(6),
        "shape": np.asarray([1, 8]),
    }
    nodes = [
        node("Conv", ["x", "w0", "b0"], ["c0"], strides=[2, 2], pads=[0, 0, 1, 1]),
        node("Clip", ["c0", "zero", "six"], ["r0"]),
        node("Conv", ["r0", "w1", "b1"], ["c1"], group=8, pads=[1, 1, 1, 1]),
        node("Clip", ["c1", "zero", "six"], ["r1"]),
        node("Conv", ["r1", "w2", "b2"], ["c2"]),
        node("Conv", ["c2", "w3", "b3"], ["c3"]),
        node("Add", ["c2", "c3"], ["sum"]),
        node("Relu", ["sum"], ["r2"]),
        node("GlobalAveragePool", ["r2"], ["pooled"]),
        node("Reshape", ["pooled", "shape"], ["flat"]),
        node("Gemm", ["flat", "w4", "b4"], ["scores"], transB=1),
    ]
    model = model_of(nodes, {"x": [1, 3, SIZE, SIZE]}, {"scores": [1, 5]}, constants)
    return normalize(model, Picture((mean,) * 3, (64.0,) * 3, SIZE, SIZE))


def pooled():
    """No layer at all: a picture's mean."""
    model = model_of(
        [node("GlobalAveragePool", ["x"], ["y"])], {"x": [1, 3, SIZE, SIZE]}, {"y": [1, 3, 1, 1]}, {}
    )
    return normalize(model, Picture((127.0,) * 3, (64.0,) * 3, SIZE, SIZE))


def gated(seed=0):
    """A recogniser in small: hard swish, squeeze and excite, a transposition and a MatMul; dynamic width."""
    rng = np.random.default_rng(seed)
    constants = {
        "w0": rng.normal(0, 0.3, (6, 3, 3, 3)),
        "w1": rng.normal(0, 0.5, (6, 6, 1, 1)),
        "w2": rng.normal(0, 0.5, (6, 12)),
        "axis": np.asarray([2]),
    }
    nodes = [
        node("Conv", ["x", "w0"], ["c0"], pads=[1, 1, 1, 1]),
        node("HardSigmoid", ["c0"], ["h"], alpha=1 / 6, beta=0.5),
        node("Mul", ["c0", "h"], ["s"]),
        node("GlobalAveragePool", ["s"], ["g"]),
        node("Conv", ["g", "w1"], ["c1"]),
        node("HardSigmoid", ["c1"], ["gate"]),
        node("Mul", ["s", "gate"], ["gated"]),
        node("ReduceMean", ["gated", "axis"], ["row"], keepdims=0),
        node("Transpose", ["row"], ["steps"], perm=[0, 2, 1]),
        node("MatMul", ["steps", "w2"], ["logits"]),
    ]
    model = model_of(nodes, {"x": [1, 3, 8, "width"]}, {"logits": [None] * 3}, constants)
    return normalize(model, Picture((127.5,) * 3, (127.5,) * 3, 8, "width"))


def pictures(n=24, size=(SIZE, SIZE), seed=1):
    """Smooth random pictures: ``{"image": (1, height, width, 3) uint8}``."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        coarse = rng.integers(0, 256, (size[0] // 4, size[1] // 4, 3))
        fine = np.kron(coarse, np.ones((4, 4, 1))) + rng.normal(0, 20, (*size, 3))
        found.append({"image": np.clip(fine, 0, 255).astype(np.uint8)[None]})
    return found


def values(*shape, seed=0, scale=1.0):
    return noise(*shape, seed=seed, scale=scale).astype(np.float64)


def attending(seed=0, size=32, rows=600, bias=True):
    """A transformer in small: lookup, attention of one head, a wide feed-forward layer and a classifier of each token.

    The first token's activations are ten times the others', as those of BERT's first and last are.
    """
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 1.0, (rows, size))
    table[0] *= 10
    constants = {
        "table": table,
        "wq": rng.normal(0, size**-0.5, (size, size)),
        "wk": rng.normal(0, size**-0.5, (size, size)),
        "wv": rng.normal(0, size**-0.5, (size, 4 * size)),
        "wf": rng.normal(0, size**-0.5, (size, 16 * size)),
        "bf": rng.normal(0, 1.0, 16 * size),
        "wo": rng.normal(0, size**-0.5 / 4, (16 * size, size)),
        "wp": rng.normal(0, (4 * size) ** -0.5, (4 * size, size)),
        "wc": rng.normal(0, size**-0.5, (size, 3)),
        "axis": np.asarray([0]),
    }
    nodes = [
        node("Gather", ["table", "ids"], ["e"]),
        *(node("MatMul", ["e", f"w{k}"], [k]) for k in "qkv"),
        node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        node("MatMul", ["q", "kt"], ["logits"]),
        node("Softmax", ["logits"], ["a"], axis=-1),
        node("MatMul", ["a", "v"], ["seen"]),
        node("MatMul", ["seen", "wp"], ["p"]),
        node("Squeeze", ["p", "axis"], ["tokens"]),
        node("Gemm", ["tokens", "wf", "bf"] if bias else ["tokens", "wf"], ["f"]),
        node("Relu", ["f"], ["r"]),
        node("MatMul", ["r", "wo"], ["o"]),
        node("Add", ["o", "tokens"], ["sum"]),
        node("MatMul", ["sum", "wc"], ["scores"]),
    ]
    model = model_of(
        nodes,
        {"ids": helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "n"])},
        {"scores": [None] * 2},
        constants,
    )
    return normalize(model)


def token_ids(n=8, rows=600, seed=1):
    """Sequences of several lengths that begin with token 0: ``{"ids": (1, length) int64}``."""
    rng = np.random.default_rng(seed)
    return [{"ids": np.asarray([[0, *rng.integers(1, rows, 3 + 4 * i)]])} for i in range(n)]
