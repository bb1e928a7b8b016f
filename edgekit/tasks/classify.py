"""Image classification: one graph, one score a class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgekit.bundle.manifest import ClassHead, Model, Variant
from edgekit.engines.protocol import Engine, EngineOptions, Session
from edgekit.errors import BundleError
from edgekit.processing.activations import activate
from edgekit.processing.images import to_frame
from edgekit.processing.preprocess import prepare
from edgekit.tasks.outputs import output_index
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Classification, Frame

ROLE = "model"


class Classify:
    """A loaded classifier; see :class:`edgekit.tasks.protocol.Task`."""

    name = "classify"

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        model, head = _model_of(variant)
        self.bundle_name = bundle_name
        self.variant = variant.name
        self.engine = f"{engine.name} {engine.version}"
        self.threads = options.threads
        self.labels = read_labels(folder / head.labels)
        self._input = model.input
        self._head = head
        self._session = engine.load(folder / model.path, options)
        self.sessions: Mapping[str, Session] = {ROLE: self._session}
        self._output = output_index(self._session, model, head.tensor, variant)

    def __call__(self, image: Frame | Array | str | Path, trace: Trace | None = None) -> Classification:
        """Scores every class of one picture; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        with trace.stage("pre"):
            prepared = prepare(to_frame(image), self._input)
        outputs = trace.infer(ROLE, self._session, {self._input.tensor: prepared.tensor})
        with trace.stage("post"):
            logits = outputs[self._output].reshape(-1).astype(np.float32, copy=False)
            return Classification(activate(logits, self._head.activation), self.labels)


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels of a file with one a line, in the order of the classes.

    Raises:
        BundleError: no label in it.
    """
    text = path.read_text(encoding="utf-8").removesuffix("\n")
    labels = tuple(text.split("\n"))  # not splitlines: an alphabet may hold a U+2028 of its own
    if not text:
        raise BundleError(f"{path.name}: expected one label a line, got an empty file")
    return labels


def _model_of(variant: Variant) -> tuple[Model, ClassHead]:
    model = variant.models.get(ROLE)
    if model is None or len(variant.models) != 1 or not isinstance(model.head, ClassHead):
        got = ", ".join(f"{role}: {m.head.__struct_config__.tag}" for role, m in variant.models.items())
        raise BundleError(
            f"variant {variant.name}: classify expects one graph {ROLE!r} with a class_head, got {got}"
        )
    return model, model.head
