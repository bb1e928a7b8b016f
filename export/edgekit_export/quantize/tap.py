"""Reading tensors inside a graph while the engine that ships runs it.

The graph is cut behind the tensors that are asked for, so that nothing later is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import onnx
from onnx import helper

from edgekit.types import Array
from edgekit_export.convert.remove_dead import remove_dead
from edgekit_export.convert.session import session_of

Batch = Mapping[str, Array]


def cut(model: onnx.ModelProto, tensors: Sequence[str]) -> onnx.ModelProto:
    """A copy of ``model`` whose outputs are ``tensors``, without what they do not need."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    kinds = {v.name: v for v in [*model.graph.value_info, *model.graph.output]}
    del made.graph.output[:]
    del made.graph.value_info[:]
    for name in tensors:
        known = kinds.get(name)
        made.graph.output.append(known if known is not None else helper.make_empty_tensor_value_info(name))
    remove_dead(made)
    return made


class Tap:
    """Runs a graph and gives the values of some of its tensors."""

    def __init__(self, model: onnx.ModelProto, tensors: Sequence[str], threads: int = 2) -> None:
        self.tensors = tuple(dict.fromkeys(tensors))
        self._session = session_of(cut(model, self.tensors), threads=threads)
        self._inputs = {spec.name for spec in self._session.inputs}

    def __call__(self, batch: Batch) -> dict[str, Array]:
        """Tensor name → value for one batch."""
        feeds = {name: batch[name] for name in self._inputs}
        return dict(zip(self.tensors, self._session.run(feeds), strict=True))

    def over(self, batches: Iterable[Batch]) -> Iterator[dict[str, Array]]:
        """As calling it, for each batch in turn; holds one at a time."""
        for batch in batches:
            yield self(batch)
