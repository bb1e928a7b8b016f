"""Object detection: one graph, boxes with a class and a score each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgekit.bundle.detect_head import DetectHead
from edgekit.bundle.manifest import Variant
from edgekit.engines.protocol import Engine, EngineOptions
from edgekit.processing.boxes import clipped, has_area, to_picture
from edgekit.processing.detection import detect
from edgekit.processing.images import to_frame
from edgekit.processing.preprocess import Prepared, prepare
from edgekit.tasks.labels import read_labels
from edgekit.tasks.pictures import image_input
from edgekit.tasks.single import SingleGraph
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Detections, Frame, Kind


class Detect(SingleGraph[DetectHead]):
    """A loaded detector; see :class:`edgekit.tasks.protocol.Task`."""

    name = "detect"
    accepts: Kind = "picture"

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        super().__init__(bundle_name, variant, folder, engine, options, DetectHead)
        self._input = image_input(self._model, self.name, variant)
        self.labels = read_labels(folder / self._head.labels)

    def __call__(self, image: Frame | Array | str | Path, trace: Trace | None = None) -> Detections:
        """Finds the objects of one picture; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        with trace.stage("pre"):
            frame = to_frame(image)
            prepared = prepare(frame, self._input)
        outputs = self._run(trace, {self._input.tensor: prepared.tensor})
        with trace.stage("post"):
            return self._found(outputs, prepared, frame.size_wh)

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
