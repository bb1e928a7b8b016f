"""One graph of a bundle with what its head's classes stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgekit.bundle.manifest import ClassHead, CtcHead, ImageInput, Model, head_tensors
from edgekit.bundle.reader import Bundle
from edgekit.engines.protocol import Session
from edgekit.errors import BundleError
from edgekit.predictions.contender import Live
from edgekit.processing import ctc
from edgekit.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """One graph, ready to run on prepared tensors.

    Attributes:
        role: in its variant.
        model: its declaration.
        session: the loaded graph.
        lines: of the labels or the alphabet, as the member lists them; empty for a detector.
    """

    role: str
    model: Model
    session: Session
    lines: tuple[str, ...]

    @property
    def input(self) -> ImageInput:
        """How a picture becomes what it is given."""
        assert isinstance(self.model.input, ImageInput)  # see graphs()
        return self.model.input

    @property
    def classes(self) -> tuple[str, ...]:
        """What each class stands for.

        Raises:
            BundleError: the head's blank lies outside the alphabet.
        """
        head = self.model.head
        return ctc.class_symbols(self.lines, head) if isinstance(head, CtcHead) else self.lines

    def run(self, tensor: Array) -> Array:
        """What the head reads of the graph's outputs.

        Raises:
            BundleError: the graph has no such output.
            ModelError: the engine failed, e.g. for a tensor of another shape.
        """
        names, wanted = [output.name for output in self.session.outputs], head_tensors(self.model.head)[0]
        if wanted not in names:
            raise BundleError(f"{self.model.path}: expected output {wanted}, got {names}")
        return self.session.run({self.input.tensor: tensor})[names.index(wanted)]


def graphs(side: Live) -> dict[str, Graph]:
    """Role → graph, of those that are given pictures.

    Raises:
        BundleError: labels or alphabet cannot be read.
    """
    sessions: Mapping[str, Session] = side.task.sessions
    return {
        role: Graph(role, model, sessions[role], _lines(side.bundle, model))
        for role, model in side.variant.models.items()
        if role in sessions and isinstance(model.input, ImageInput)
    }


def _lines(bundle: Bundle, model: Model) -> tuple[str, ...]:
    path = text_member(model)
    return () if path is None else ctc.read_symbols(bundle.read(path).decode("utf-8"))


def text_member(model: Model) -> str | None:
    """The member with a head's labels or alphabet."""
    if isinstance(model.head, ClassHead):
        return model.head.labels
    return model.head.alphabet if isinstance(model.head, CtcHead) else None
