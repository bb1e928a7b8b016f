"""The graph of a tower into a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgekit_export.architectures.vision import VisionShape
from edgekit_export.language.graph_writer import GraphWriter
from edgekit_export.language.weights_file import WeightsFile
from edgekit_export.vision.graph import ReadVision, VisionGraph

VISION, VISION_WEIGHTS = "vision.onnx", "vision.bin"


def write_vision(
    folder: Path,
    shape: VisionShape,
    size: int,
    read: ReadVision,
    advance: Callable[[], None] = lambda: None,
) -> None:
    """Writes ``vision.onnx`` and ``vision.bin``; one tensor is in memory at a time.

    Args:
        folder: exists.
        shape: of the model.
        size: side of the picture in pixels.
        read: gives each tensor as it shall be written.
        advance: called once a layer, and once for the connector.

    Raises:
        UsageError: the tower has no positions for such a size.
    """
    with WeightsFile(folder / VISION_WEIGHTS) as weights:
        model = VisionGraph(shape, size, read, GraphWriter(weights)).write(advance)
    (folder / VISION).write_bytes(model.SerializeToString(deterministic=True))
