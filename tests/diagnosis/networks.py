"""Small random networks in bundles: a classifier and a reader of lines, each with a reduced-precision twin."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgekit.bundle.manifest import (
    Card,
    CenterCrop,
    ClassHead,
    CtcHead,
    ImageInput,
    Lock,
    Manifest,
    Model,
    Normalize,
    ResizeHeight,
    ResizeShorter,
    Variant,
)
from edgekit.bundle.writer import write_bundle
from edgekit.types import Frame

CLASSES = 40
MEAN, STD = (120.0, 120.0, 120.0), (58.0, 58.0, 58.0)
LABELS = tuple(f"class {i}" for i in range(CLASSES))
SYMBOLS = tuple(chr(ord("A") + i) for i in range(30))


def pictures(n: int = 8, wh: tuple[int, int] = (72, 60)) -> list[Frame]:
    """Coloured clouds, the same ones every time."""
    rng = np.random.default_rng(5)
    clouds = []
    for _ in range(n):
        coarse = rng.integers(0, 256, (7, 8, 3), dtype=np.uint8)
        clouds.append(Frame(cv2.resize(coarse, wh, interpolation=cv2.INTER_CUBIC)))
    return clouds


def classifier(path: Path, noise: float = 0.0, folded: bool = True) -> Path:
    """A classifier of 32 × 32 pixels; ``folded`` takes uint8, otherwise the manifest normalises."""
    ops = (ResizeShorter(40), CenterCrop(32, 32))
    spec = ImageInput("image", ops, "rgb")
    if not folded:
        spec = ImageInput("image", (*ops, Normalize(MEAN, STD)), "rgb", "float32", "nchw")
    head = ClassHead("scores", "assets/labels.txt", "softmax")
    nodes, arrays = _stem(folded)
    nodes += [
        helper.make_node("ReduceMean", ["h2", "axes"], ["pooled"], keepdims=0),
        helper.make_node("MatMul", ["pooled", "w3"], ["scores"]),
    ]
    arrays |= {"axes": np.array([2, 3]), "w3": _weights(7, (48, CLASSES)) * 20}
    shape = [1, 32, 32, 3] if folded else [1, 3, 32, 32]
    return _write(path, "classify", "model", nodes, arrays, shape, [1, CLASSES], spec, head, LABELS, noise)


def reader(path: Path, noise: float = 0.0) -> Path:
    """A reader of lines 16 pixels high, one step every four pixels; it ends in probabilities."""
    spec = ImageInput("image", (ResizeHeight(16, 64, 256, 16, 127),), "bgr")
    head = CtcHead("scores", "assets/labels.txt", 0, True)
    nodes, arrays = _stem(True)
    nodes += [
        helper.make_node("ReduceMean", ["h2", "axes"], ["pooled"], keepdims=0),
        helper.make_node("Transpose", ["pooled"], ["steps"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["steps", "w3"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ]
    arrays |= {"axes": np.array([2]), "w3": _weights(8, (48, len(SYMBOLS) + 2)) * 20}
    return _write(
        path, "ocr", "recognize", nodes, arrays, [1, 16, "w", 3], [1, "t", 32], spec, head, SYMBOLS, noise
    )


def _stem(folded: bool) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray]]:
    """Two convolutions of stride 2 that saturate, ``image`` → ``h2``, ``(1, 48, height / 4, width / 4)``."""
    source, nodes = "image", []
    arrays: dict[str, np.ndarray] = {"w1": _weights(1, (32, 3, 3, 3)), "w2": _weights(2, (48, 32, 3, 3))}
    if folded:
        nodes = [
            helper.make_node("Transpose", ["image"], ["t"], perm=[0, 3, 1, 2]),
            helper.make_node("Cast", ["t"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Sub", ["f", "mean"], ["m"]),
            helper.make_node("Div", ["m", "std"], ["n"]),
        ]
        source = "n"
        arrays |= {"mean": np.array(MEAN).reshape(1, 3, 1, 1), "std": np.array(STD).reshape(1, 3, 1, 1)}
    conv = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    arrays["b1"] = np.random.default_rng(3).normal(0, 0.5, 32)
    nodes += [
        helper.make_node("Conv", [source, "w1", "b1"], ["c1"], **conv),
        helper.make_node("Tanh", ["c1"], ["h1"]),
        helper.make_node("Conv", ["h1", "w2"], ["c2"], **conv),
        helper.make_node("Sigmoid", ["c2"], ["h2"]),
    ]
    return nodes, arrays


def _weights(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    inputs = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
    return np.random.default_rng(seed).normal(0, np.sqrt(2 / inputs), shape)


def _write(
    path: Path,
    task: str,
    role: str,
    nodes: list[onnx.NodeProto],
    arrays: dict[str, np.ndarray],
    shape: list[int | str],
    out: list[int | str],
    spec: ImageInput,
    head: ClassHead | CtcHead,
    lines: tuple[str, ...],
    noise: float,
) -> Path:
    rng = np.random.default_rng(11)
    tensors = []
    for name, array in arrays.items():
        kept = array if array.dtype.kind == "i" else array.astype(np.float32)
        if noise and name.startswith("w"):
            kept = (kept * (1 + noise * rng.standard_normal(kept.shape))).astype(np.float32)
        tensors.append(numpy_helper.from_array(kept, name))
    kind = TensorProto.UINT8 if spec.dtype == "uint8" else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", kind, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, out)],
        tensors,
    )
    opset = [helper.make_opsetid("", 18)]
    data = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString(deterministic=True)
    model = Model("v/model.onnx", "onnx", spec, head)
    manifest = Manifest(
        format="edgekit-bundle",
        version=1,
        name="small",
        task=task,
        files=(),
        variants=(Variant("v", "test", "fp32", {role: model}, len(data)),),
        card=Card("Small", task, "clouds", (), "any", ("anything",), "Apache-2.0", "test", 1),
        lock=Lock("test", {}, "test", None, 0, None, 0, {}),
    )
    text = "".join(f"{line}\n" for line in lines).encode()
    write_bundle(path, manifest, {"v/model.onnx": data, "assets/labels.txt": text})
    return path
