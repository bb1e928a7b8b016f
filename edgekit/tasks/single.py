"""Tasks of one graph: how they are loaded, and what they tell of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

from edgekit.bundle.fields import Strict
from edgekit.bundle.manifest import Model, Variant, head_tensors
from edgekit.engines.protocol import Engine, EngineOptions, Session
from edgekit.errors import BundleError
from edgekit.tasks.outputs import output_index
from edgekit.tasks.trace import Trace
from edgekit.types import Array

ROLE = "model"
"""The only role of such a variant."""

HeadT = TypeVar("HeadT", bound=Strict)


class SingleGraph(Generic[HeadT]):
    """What the tasks of one graph share; see :class:`edgekit.tasks.protocol.Task` for the attributes.

    A task names its kind of head: ``class Detect(SingleGraph[DetectHead])``.

    Args:
        bundle_name: name of the bundle.
        variant: what is loaded.
        folder: holds the members that it names.
        engine: loads the graph.
        options: how the engine runs.
        head: the class of the model's head.

    Raises:
        BundleError: the variant has other graphs, or its graph another head, or not the head's outputs.
        ModelError: the engine refuses the graph.
    """

    name: str

    def __init__(
        self,
        bundle_name: str,
        variant: Variant,
        folder: Path,
        engine: Engine,
        options: EngineOptions,
        head: type[HeadT],
    ) -> None:
        model, self._head = _only_graph(self.name, variant, head)
        self._model = model
        self.bundle_name = bundle_name
        self.variant = variant.name
        self.engine = f"{engine.name} {engine.version}"
        self.threads = options.threads
        self._session = engine.load(folder / model.path, options)
        self.sessions: Mapping[str, Session] = {ROLE: self._session}
        self._names = [output.name for output in self._session.outputs]
        for wanted in head_tensors(model.head):
            output_index(self._session, model, wanted, variant)

    def _run(
        self, trace: Trace, feeds: Mapping[str, Array], kept: frozenset[str] = frozenset()
    ) -> dict[str, Array]:
        """The graph's outputs by their names; ``kept`` are those that only the next call reads."""
        return dict(zip(self._names, trace.infer(ROLE, self._session, feeds, kept), strict=True))


def _only_graph(task: str, variant: Variant, head: type[HeadT]) -> tuple[Model, HeadT]:
    """The only model of a variant, and its head."""
    model = variant.models.get(ROLE)
    if model is None or len(variant.models) != 1 or not isinstance(model.head, head):
        got = ", ".join(f"{role}: {_tag(m.head)}" for role, m in variant.models.items())
        raise BundleError(
            f"variant {variant.name}: {task} expects one graph {ROLE!r} with a {_tag(head)}, got {got}"
        )
    return model, model.head


def _tag(head: Strict | type[Strict]) -> str:
    return str(head.__struct_config__.tag)
