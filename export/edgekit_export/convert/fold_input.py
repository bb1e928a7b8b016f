"""Pass: the graph takes uint8 pictures; cast, channel order of axes and normalisation move inside.

A uint8 NHWC input is what a camera gives: a quarter of the bytes to copy, no float work outside the engine,
and one less thing that a consumer in another language can get wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgekit.errors import ModelError
from edgekit_export.convert.graph import (
    GraphView,
    constant,
    fresh_name,
    replace_input,
    set_nodes,
    tensor_names,
)

Dimension = int | str | None


@dataclass(frozen=True, slots=True)
class Picture:
    """What the network expects of a picture: ``(pixel - mean) / std`` a channel, in the order of its channels.

    Attributes:
        mean: in units of pixel values 0–255, one a channel.
        std: likewise.
        height: fixed size, a name for a dynamic one.
        width: likewise.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    height: Dimension
    width: Dimension

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or not self.mean or min(self.std) <= 0:
            raise ValueError(
                f"picture: expected as many positive std as mean, got {self.std} and {self.mean}"
            )


def fold_input(model: onnx.ModelProto, picture: Picture, name: str = "image") -> None:
    """Replaces the float input, NCHW or NHWC, by ``name``: uint8 ``(1, height, width, channels)``.

    Raises:
        ModelError: the graph has not exactly one float input of rank 4 with that many channels.
    """
    view = GraphView(model)
    old, is_last = _only_input(model, view, len(picture.mean))
    if name != old and name in tensor_names(model):
        raise ModelError(f"graph has a tensor named {name!r} already")
    taken = tensor_names(model) | {name}
    planar, floats, centred = (fresh_name(taken, f"{name}.{part}") for part in ("nchw", "float", "centred"))
    scaled = fresh_name(taken, f"{name}.normal")
    shape = (1, -1, 1, 1)
    inverse = (1.0 / np.asarray(picture.std, np.float64)).astype(np.float32)
    mean = constant(fresh_name(taken, f"{name}.mean"), np.asarray(picture.mean, np.float32).reshape(shape))
    scale = constant(fresh_name(taken, f"{name}.scale"), inverse.reshape(shape))
    head = [
        helper.make_node("Transpose", [name], [planar], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", [planar], [floats], to=TensorProto.FLOAT),
        helper.make_node("Sub", [floats, mean.name], [centred]),
        helper.make_node("Mul", [centred, scale.name], [scaled]),
    ]
    if is_last:  # back to what the graph wants; ``planar`` moves this out of the way
        ready = fresh_name(taken, f"{name}.nhwc")
        head.append(helper.make_node("Transpose", [scaled], [ready], perm=[0, 2, 3, 1]))
        scaled = ready
    replace_input(model.graph.node, old, scaled)
    set_nodes(model.graph, [*head, *model.graph.node])
    model.graph.initializer.extend([mean, scale])
    del model.graph.input[:]
    dims: Sequence[Dimension] = (1, picture.height, picture.width, len(picture.mean))
    model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.UINT8, list(dims)))


def _only_input(model: onnx.ModelProto, view: GraphView, channels: int) -> tuple[str, bool]:
    """Its name, and whether its channels come last."""
    if len(view.inputs) != 1:
        raise ModelError(f"model has {len(view.inputs)} inputs, expected one picture")
    value = next(v for v in model.graph.input if v.name == view.inputs[0])
    tensor = value.type.tensor_type
    dims = [d.dim_value for d in tensor.shape.dim]
    is_last = len(dims) == 4 and dims[3] == channels and dims[1] not in (0, channels)
    is_first = len(dims) == 4 and dims[1] in (0, channels)
    if tensor.elem_type != TensorProto.FLOAT or not (is_first or is_last):
        kind = TensorProto.DataType.Name(tensor.elem_type).lower()
        raise ModelError(
            f"input {value.name}: expected float (1, {channels}, height, width), got {kind} {dims}"
        )
    return str(value.name), is_last
