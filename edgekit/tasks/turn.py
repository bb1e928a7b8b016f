"""Lines that stand on their head: a small graph tells them, and they are turned round before they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.bundle.manifest import ClassHead, ImageInput, Variant
from edgekit.engines.protocol import Engine, EngineOptions, Session
from edgekit.errors import BundleError
from edgekit.processing.activations import activate
from edgekit.processing.preprocess import prepare
from edgekit.tasks.labels import read_labels
from edgekit.tasks.outputs import output_index
from edgekit.tasks.pictures import image_input
from edgekit.tasks.trace import Trace
from edgekit.types import Frame

ORIENT = "orient"
"""Role of the graph."""

UPSIDE_DOWN = "180"
"""Label of the class of lines to turn; the other is ``0``."""

SURE = 0.9
"""Lines are turned from this score on, as PP-OCR does: most are upright, and an error costs the whole line."""


@dataclass(frozen=True, slots=True)
class Turner:
    """The graph, loaded."""

    session: Session
    input: ImageInput
    head: ClassHead
    output: int
    upside_down: int

    def upright(self, line: Frame, trace: Trace) -> tuple[Frame, bool]:
        """The line as it is to be read, and whether it was turned by 180°."""
        with trace.stage("pre"):
            prepared = prepare(line, self.input)
        outputs = trace.infer(ORIENT, self.session, {self.input.tensor: prepared.tensor})
        with trace.stage("post"):
            values = outputs[self.output].reshape(-1).astype(np.float32, copy=False)
            if values.size != 2:
                raise BundleError(f"orient: expected two scores, got {values.size}")
            if activate(values, self.head.activation)[self.upside_down] < np.float32(SURE):
                return line, False
            return Frame(np.ascontiguousarray(line.pixels[::-1, ::-1]), line.color), True


def load_turner(variant: Variant, folder: Path, engine: Engine, options: EngineOptions) -> Turner:
    """Loads the graph ``orient`` of a variant.

    Raises:
        BundleError: it has no class_head with the labels ``0`` and ``180``, or is given no picture.
        ModelError: the engine refuses it.
    """
    model = variant.models[ORIENT]
    if not isinstance(model.head, ClassHead):
        tag = model.head.__struct_config__.tag
        raise BundleError(f"variant {variant.name}: orient expects a class_head, got {tag}")
    labels = read_labels(folder / model.head.labels)
    if sorted(labels) != ["0", UPSIDE_DOWN]:
        raise BundleError(
            f"variant {variant.name}: orient expects the labels 0 and {UPSIDE_DOWN}, got {', '.join(labels[:4])}"
        )
    session = engine.load(folder / model.path, options)
    output = output_index(session, model, model.head.tensor, variant)
    return Turner(session, image_input(model, "ocr", variant), model.head, output, labels.index(UPSIDE_DOWN))
