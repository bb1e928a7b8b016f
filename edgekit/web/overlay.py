"""What is drawn over a picture, as plain JSON values: the viewer's browser draws it, sharp at any size."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit.types import Classification, Detections, Generation, Result, TextRegions

SHAPES = 64
TEXT_CHARS = 120
CLASSES = 3
"""The most shapes, letters of a label, and classes that are shown."""


def overlay(result: Result) -> dict[str, Any]:
    """What was found, in pixels of the frame.

    Returns:
        ``shapes``: ``{"points": [[x, y], …], "label", "score"}``, objects where they count as found; ``classes``:
        ``{"label", "score"}``, best first; ``text``: what was said; ``more``: how many shapes were left out.
    """
    if isinstance(result, Classification):
        return {
            "classes": [
                {"label": c.label[:TEXT_CHARS], "score": round(c.score, 4)} for c in result.top(CLASSES)
            ]
        }
    if isinstance(result, Detections):
        found = result.found()
        corners = found.xyxy[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
        return _shapes(corners, found.label, found.score)
    if isinstance(result, TextRegions):
        return _shapes(result.quads, result.texts, result.scores)
    if isinstance(result, Generation):
        return {"text": result.text[: 8 * TEXT_CHARS]}
    return {}


def _shapes(
    corners: np.ndarray[Any, Any], labels: tuple[str, ...], scores: np.ndarray[Any, Any]
) -> dict[str, Any]:
    shapes = [
        {
            "points": np.round(points.astype(float), 1).tolist(),
            "label": label[:TEXT_CHARS],
            "score": round(float(score), 4),
        }
        for points, label, score in zip(corners[:SHAPES], labels, scores, strict=False)
    ]
    return {"shapes": shapes, "more": max(len(labels) - SHAPES, 0)}
