"""All families of the table."""

from __future__ import annotations

from pathlib import Path

from edgekit_export.conformance.family import Family, named

REAL = (
    ("EfficientNet-Lite0", "classify", "efficientnet-lite0"),
    ("PP-OCRv4 recogniser", "ocr", "ppocr-v4-rec"),
)


def families(photos: Path | None) -> list[Family]:
    """Every family, those of real weights first.

    Args:
        photos: folder of photos for models of pictures with real weights; their recipes' own data without.
    """
    return [Family(name, task, "picture", "real", named(model)) for name, task, model in REAL]
