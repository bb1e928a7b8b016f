"""Object detection: one graph, boxes with a class and a score each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgekit.bundle.detect_head import DetectHead
from edgekit.bundle.manifest import Model, Variant, head_tensors
from edgekit.engines.protocol import Engine, EngineOptions, Session
from edgekit.errors import BundleError
from edgekit.processing.boxes import clipped, has_area, to_picture
from edgekit.processing.detection import detect
from edgekit.processing.images import to_frame
from edgekit.processing.preprocess import Prepared, prepare
from edgekit.tasks.classify import read_labels
from edgekit.tasks.outputs import output_index
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Detections, Frame

ROLE = "model"


class Detect:
    """A loaded detector; see :class:`edgekit.tasks.protocol.Task`."""

    name = "detect"

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
        self._names = [output.name for output in self._session.outputs]
        for wanted in head_tensors(head):
            output_index(self._session, model, wanted, variant)

    def __call__(self, image: Frame | Array | str | Path, trace: Trace | None = None) -> Detections:
        """Finds the objects of one picture; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        with trace.stage("pre"):
            frame = to_frame(image)
            prepared = prepare(frame, self._input)
        outputs = trace.infer(ROLE, self._session, {self._input.tensor: prepared.tensor})
        with trace.stage("post"):
            return self._found(dict(zip(self._names, outputs, strict=True)), prepared, frame.size_wh)

    def _found(
        self, outputs: Mapping[str, Array], prepared: Prepared, picture_wh: tuple[int, int]
    ) -> Detections:
        planar = self._input.layout == "nchw"
        height, width = prepared.tensor.shape[2:] if planar else prepared.tensor.shape[1:3]
        found = detect(outputs, self._head, len(self.labels), (width, height))
        xyxy = clipped(to_picture(found.xyxy, prepared.scale_xy, prepared.offset_xy), picture_wh)
        kept = has_area(xyxy)
        return Detections(
            xyxy[kept], found.score[kept], found.index[kept], self.labels, self._head.found_score
        )


def _model_of(variant: Variant) -> tuple[Model, DetectHead]:
    model = variant.models.get(ROLE)
    if model is None or len(variant.models) != 1 or not isinstance(model.head, DetectHead):
        got = ", ".join(f"{role}: {m.head.__struct_config__.tag}" for role, m in variant.models.items())
        raise BundleError(
            f"variant {variant.name}: detect expects one graph {ROLE!r} with a detect_head, got {got}"
        )
    return model, model.head
