"""Pass: the graph gives what the bundle's head reads, under the names it reads, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from edgekit.errors import ModelError
from edgekit_export.convert.remove_dead import remove_dead
from edgekit_export.convert.rename_output import rename_output


def select_outputs(model: onnx.ModelProto, tensors: Sequence[str]) -> None:
    """Keeps the outputs ``tensors``, in this order; the only output of a graph gets the only name.

    Raises:
        ModelError: the graph has no such output.
    """
    outputs = {value.name: value for value in model.graph.output}
    if len(tensors) == 1 and len(outputs) == 1:
        rename_output(model, tensors[0])
        return
    for name in tensors:
        if name not in outputs:
            raise ModelError(
                f"the head reads output {name!r}, the graph has {', '.join(outputs)}", "name one of these"
            )
    kept = [onnx.ValueInfoProto.FromString(outputs[name].SerializeToString()) for name in tensors]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    remove_dead(model)
