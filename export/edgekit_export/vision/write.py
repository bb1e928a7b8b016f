"""The graphs of a tower into a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edgekit_export.architectures.vision import VisionShape
from edgekit_export.language.graph_writer import GraphWriter
from edgekit_export.language.weights_file import WeightsFile
from edgekit_export.vision.graph import ReadVision, VisionGraph

VISION_WEIGHTS = "vision.bin"


def vision_file(size: int) -> str:
    """Name of the graph for pictures of ``size`` × ``size`` pixels."""
    return f"vision-{size}.onnx"


def write_vision(
    folder: Path,
    shape: VisionShape,
    sizes: Sequence[int],
    read: ReadVision,
    advance: Callable[[], None] = lambda: None,
) -> None:
    """Writes a graph for each size, and ``vision.bin``, where what is equal lies once.

    One tensor is in memory at a time.

    Args:
        folder: exists.
        shape: of the model.
        sizes: sides of the pictures in pixels.
        read: gives each tensor as it shall be written.
        advance: called once a layer, and once for the connector, of each size.

    Raises:
        UsageError: the tower has no positions for such a size.
    """
    with WeightsFile(folder / VISION_WEIGHTS) as weights:
        for size in sizes:
            model = VisionGraph(shape, size, read, GraphWriter(weights)).write(advance)
            (folder / vision_file(size)).write_bytes(model.SerializeToString(deterministic=True))
