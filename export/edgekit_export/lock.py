"""What a bundle was made from, so that it can be made again."""

from __future__ import annotations

import platform

from edgekit.bundle.manifest import Lock
from edgekit.data.dataset import Dataset, digest_starts
from edgekit.machine import installed
from edgekit_export.sources.source import Source
from edgekit_export.sources.tflite_file import AS_IT_IS

_TOOLS = (
    "edgekit",
    "edgekit-export",
    "numpy",
    "onnx",
    "onnxruntime",
    "opencv-python-headless",
    "scipy",
    "torch",
    "transformers",
)
_TFLITE_TOOLS = ("ai-edge-litert", "ai-edge-quantizer", "litert-torch")


def make_lock(
    source: Source,
    precisions: tuple[str, ...],
    formats: tuple[str, ...],
    calibration: Dataset | None,
    evaluation: Dataset | None,
) -> Lock:
    """The lock of an export: digests of weights and data, the recipe, and the versions of what computed.

    Args:
        source: what was exported.
        precisions: the variants that were asked for, in order.
        formats: in which each was asked for.
        calibration: what it was calibrated on, if it was.
        evaluation: what the drop was measured on, if it was.
    """
    tools = (*_TOOLS, *_TFLITE_TOOLS) if "tflite" in formats else _TOOLS
    return Lock(
        source=source.origin,
        weights=_weights(source),
        recipe=_recipe(precisions, formats),
        calibration_sha256=calibration.sha256 if calibration else None,
        calibration_n=len(calibration) if calibration else 0,
        evaluation_sha256=evaluation.sha256 if evaluation else None,
        evaluation_n=len(evaluation) if evaluation else 0,
        tools={"python": platform.python_version(), **installed(*tools)},
        calibration_sources=digest_starts(calibration.digests) if calibration else (),
    )


def _weights(source: Source) -> dict[str, str]:
    """Digests of what the weights came from, and of a twin that the drop was measured against."""
    found = {role: graph.sha256 for role, graph in source.graphs.items()}
    found |= {role: graph.file.sha256 for role, graph in source.files.items()}
    found |= {f"{role}, full precision": graph.file.sha256 for role, graph in source.twin.items()}
    return dict(sorted(found.items()))


def _recipe(precisions: tuple[str, ...], formats: tuple[str, ...]) -> str:
    """In words; without a precision, files were wrapped."""
    if not precisions:
        return AS_IT_IS
    return ",".join(precisions) + ("" if formats == ("onnx",) else f" as {','.join(formats)}")
