"""Breaks a graph or a bundle on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from msgspec.structs import replace
from onnx import helper, numpy_helper

from edgekit.bundle.check import member_uses, variant_bytes
from edgekit.bundle.manifest import Manifest, Model
from edgekit.bundle.reader import Bundle
from edgekit.bundle.writer import write_bundle
from edgekit.predictions.contender import Live, open_contender
from edgekit.tasks.registry import find_variant

Broken = Callable[[onnx.ModelProto], None]


def side(path: Path, variant: str | None = None) -> Live:
    contender = open_contender(path, variant, threads=1)
    assert isinstance(contender, Live)
    return contender


def levels(gain: float | list[float], shift: float | list[float]) -> Broken:
    """The first convolution sees ``gain * x + shift`` of each channel, in its own units."""

    def apply(model: onnx.ModelProto) -> None:
        _before_first_conv(
            model,
            lambda x: [
                helper.make_node("Mul", [x, "b.g"], ["b.x"]),
                helper.make_node("Add", ["b.x", "b.s"], ["b.y"]),
            ],
            {"b.g": _channels(gain), "b.s": _channels(shift)},
        )

    return apply


def swapped(model: onnx.ModelProto) -> None:
    """Red and blue change places before the first convolution."""
    _before_first_conv(
        model,
        lambda x: [helper.make_node("Gather", [x, "b.i"], ["b.y"], axis=1)],
        {"b.i": np.array([2, 1, 0])},
    )


def reordered(order: np.ndarray) -> Broken:
    """Classes come out in this order."""
    return _after_last(
        lambda x, y: [helper.make_node("Gather", [x, "b.o"], [y], axis=-1)], {"b.o": order.astype(np.int64)}
    )


def multiplied(scale: float, offset: float = 0.0) -> Broken:
    """Outputs are so many times larger."""
    return _after_last(
        lambda x, y: [
            helper.make_node("Mul", [x, "b.m"], ["b.z"]),
            helper.make_node("Add", ["b.z", "b.a"], [y]),
        ],
        {"b.m": np.float32(scale), "b.a": np.float32(offset)},
    )


def sharpened(scale: float) -> Broken:
    """What goes into the last softmax is so many times larger."""

    def apply(model: onnx.ModelProto) -> None:
        index, node = [(i, n) for i, n in enumerate(model.graph.node) if n.op_type in ("Softmax", "Sigmoid")][
            -1
        ]
        model.graph.node.insert(index, helper.make_node("Mul", [node.input[0], "b.m"], ["b.z"]))
        node.input[0] = "b.z"
        model.graph.initializer.append(numpy_helper.from_array(np.float32(scale).reshape(()), "b.m"))

    return apply


def rebuilt(
    source: Bundle,
    target: Path,
    *,
    declare: Callable[[str, Model], Model] = lambda role, model: model,
    texts: Callable[[list[str]], list[str]] = lambda lines: lines,
    graphs: dict[str, Broken] | None = None,
    variant: str | None = None,
) -> Path:
    """A copy of one variant of a bundle, broken."""
    chosen = find_variant(source.manifest, variant)
    members = {file.path: source.read(file.path) for file in source.manifest.files}
    models = {}
    for role, model in chosen.models.items():
        if graphs and role in graphs:
            proto = onnx.load(source.folder() / model.path)
            graphs[role](proto)
            members[model.path] = proto.SerializeToString(deterministic=True)
            model = replace(model, external=())
        models[role] = declare(role, model)
        for field in ("labels", "alphabet"):
            if path := getattr(model.head, field, None):
                lines = texts(members[path].decode().removesuffix("\n").split("\n"))
                members[path] = "".join(f"{line}\n" for line in lines).encode()
    sizes = {path: len(data) for path, data in members.items()}
    made = replace(chosen, models=models, bytes=variant_bytes(models.values(), sizes))
    manifest = replace(source.manifest, variants=(made,), golden=(), evidence=(), files=())
    write_bundle(target, manifest, {path: members[path] for path in _used(manifest)})
    return target


def _used(manifest: Manifest) -> list[str]:
    return list(member_uses(manifest))


def _channels(values: float | list[float]) -> np.ndarray:
    return np.broadcast_to(np.asarray(values, np.float32), (3,)).reshape(1, 3, 1, 1).copy()


def _before_first_conv(model: onnx.ModelProto, make: Callable, arrays: dict[str, np.ndarray]) -> None:
    index, conv = next((i, n) for i, n in enumerate(model.graph.node) if n.op_type == "Conv")
    for k, node in enumerate(make(conv.input[0])):
        model.graph.node.insert(index + k, node)
    conv.input[0] = "b.y"
    model.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in arrays.items())


def _after_last(make: Callable, arrays: dict[str, np.ndarray]) -> Broken:
    def apply(model: onnx.ModelProto) -> None:
        name = model.graph.output[0].name
        for node in model.graph.node:
            for k, output in enumerate(node.output):
                if output == name:
                    node.output[k] = "b.out"
        model.graph.node.extend(make("b.out", name))
        model.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), k) for k, v in arrays.items())

    return apply
