"""edgekit: small models on small devices, within a size budget, with their measured accuracy drop.

``open_bundle(path)`` looks into a bundle, ``load(path)`` gives its task object, and calling that with a picture, a
text or a sound gives a value type. Everything heavier than this file is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgekit.errors import EdgekitError

if TYPE_CHECKING:
    from edgekit.bundle.reader import Bundle, open_bundle
    from edgekit.processing.sampling import Sampling
    from edgekit.tasks.registry import load
    from edgekit.tasks.settings import Settings
    from edgekit.types import (
        Classification,
        ClassScore,
        Detections,
        Embedding,
        Frame,
        Generation,
        Sound,
        TextRegions,
    )

__version__ = "0.1.0"

__all__ = [
    "Bundle",
    "ClassScore",
    "Classification",
    "Detections",
    "EdgekitError",
    "Embedding",
    "Frame",
    "Generation",
    "Sampling",
    "Settings",
    "Sound",
    "TextRegions",
    "load",
    "open_bundle",
]

_HOME = {
    "Bundle": "edgekit.bundle.reader",
    "open_bundle": "edgekit.bundle.reader",
    "load": "edgekit.tasks.registry",
    "ClassScore": "edgekit.types",
    "Classification": "edgekit.types",
    "Detections": "edgekit.types",
    "Embedding": "edgekit.types",
    "Frame": "edgekit.types",
    "Generation": "edgekit.types",
    "Sampling": "edgekit.processing.sampling",
    "Settings": "edgekit.tasks.settings",
    "Sound": "edgekit.types",
    "TextRegions": "edgekit.types",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 (PEP 562)
    if name not in _HOME:
        raise AttributeError(f"module 'edgekit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
