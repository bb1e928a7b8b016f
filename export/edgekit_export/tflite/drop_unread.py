"""Pass: tensors that no operator reads or makes leave the file, and the values that they had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgekit.types import Array
from edgekit_export.tflite.flatbuffer import Graph, indices

_EMPTY = 0
"""Buffer of tensors without values; the schema keeps it so."""


def drop_unread(graph: Graph) -> None:
    """Drops them and numbers the others anew. Inputs and outputs stay, read or not."""
    main = graph.main
    used = {*graph.inputs, *graph.outputs}
    for operator in graph.operators:
        used |= {*indices(operator.inputs), *indices(operator.outputs), *indices(operator.intermediates)}
    kept = sorted(used)
    number = {old: new for new, old in enumerate(kept)}
    main.tensors = [main.tensors[tensor] for tensor in kept]
    main.inputs, main.outputs = _numbered(main.inputs, number), _numbered(main.outputs, number)
    for operator in graph.operators:
        operator.inputs = _numbered(operator.inputs, number)
        operator.outputs = _numbered(operator.outputs, number)
        operator.intermediates = _numbered(operator.intermediates, number)
    for signature in graph.model.signatureDefs or []:
        if signature.subgraphIndex == 0:
            for entry in (*(signature.inputs or []), *(signature.outputs or [])):
                entry.tensorIndex = number[int(entry.tensorIndex)]
    _drop_buffers(graph.model)


def _numbered(tensors: Sequence[int] | None, number: dict[int, int]) -> Array | None:
    """Tensors of an operator; one that is left out (−1) stays so."""
    return None if tensors is None else np.array([number.get(int(i), int(i)) for i in tensors], np.int32)


def _drop_buffers(model: Any) -> None:  # noqa: ANN401
    owners = [tensor for graph in model.subgraphs for tensor in graph.tensors] + list(model.metadata or [])
    kept = sorted({_EMPTY, *(int(owner.buffer) for owner in owners)})
    number = {old: new for new, old in enumerate(kept)}
    model.buffers = [model.buffers[buffer] for buffer in kept]
    for owner in owners:
        owner.buffer = number[int(owner.buffer)]
