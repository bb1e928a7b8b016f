"""Finding an operator of a model again among the kernels that the engine's optimiser makes of it.

The optimiser gives a kernel the name of the node that it comes from, with something behind it, or the name of the
tensor that it gives.
"""

from __future__ import annotations

import onnx

_BLOCKED = "_nchwc"
"""Behind a tensor's name: the kernel, in blocks of channels, that gives it."""


def name_nodes(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose nodes are named ``<their first output>``."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for node in made.graph.node:
        node.name = f"<{node.output[0]}>"
    return made


def tensor_of(kernel: str) -> str:
    """The tensor that a kernel is named for, if its model's nodes were named by :func:`name_nodes`."""
    start, end = kernel.find("<"), kernel.rfind(">")
    return kernel[start + 1 : end] if 0 <= start < end else kernel.removesuffix(_BLOCKED)
