"""Draws a result on a copy of its picture.

Text goes through ``cv2.putText``: OpenCV 5 draws Unicode with fonts of its own (Latin, Greek, Cyrillic,
Arabic, Chinese, Japanese, Korean); OpenCV 4 shows what is not ASCII as question marks.
"""

from __future__ import annotations

import cv2
import numpy as np

from edgekit.types import U8, Classification, Detections, Frame, Result, TextRegions

INK = (255, 255, 255)
BACKGROUND = (32, 32, 32)
OUTLINE = (80, 200, 60)
FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_HEIGHT_PX = 22.0
"""Height of a capital letter with its margin, of ``FONT`` at scale 1."""

TOP_K = 3


def annotate(frame: Frame, result: Result, caption: str = "") -> U8:
    """Draws a result.

    Args:
        frame: the picture; it is left as it is.
        result: what was found in it; objects where they count as found.
        caption: a line for the lower left corner, e.g. the age of the result.

    Returns:
        ``(height, width, 3)`` uint8 in BGR order, as OpenCV writes it.
    """
    canvas: U8 = (frame.pixels if frame.color == "bgr" else frame.pixels[..., ::-1]).copy()
    if isinstance(result, Classification):
        _draw_classes(canvas, result)
    elif isinstance(result, TextRegions):
        _draw_text_regions(canvas, result)
    elif isinstance(result, Detections):
        _draw_objects(canvas, result)
    if caption:
        _draw_line(canvas, caption, (0, canvas.shape[0] - line_height(canvas)))
    return canvas


def line_height(canvas: U8) -> int:
    """Height of a line of text in pixels: a 24th of the picture, at least 14."""
    return max(int(canvas.shape[0]) // 24, 14)


def _draw_classes(canvas: U8, result: Classification) -> None:
    for row, entry in enumerate(result.top(TOP_K)):
        _draw_line(canvas, f"{entry.score:6.1%}  {entry.label}", (0, row * line_height(canvas)))


def _draw_text_regions(canvas: U8, result: TextRegions) -> None:
    corners = np.round(result.quads).astype(np.int32)
    cv2.polylines(canvas, list(corners), isClosed=True, color=OUTLINE, thickness=2)
    for quad, text in zip(corners, result.texts, strict=True):
        x, y = int(quad[:, 0].min()), int(quad[:, 1].min())
        _draw_line(canvas, text, (x, y - line_height(canvas)))


def _draw_objects(canvas: U8, all_objects: Detections) -> None:
    result = all_objects.found()
    for box, label, score in zip(np.round(result.xyxy).astype(int), result.label, result.score, strict=True):
        left, top, right, bottom = box.tolist()
        cv2.rectangle(canvas, (left, top), (right, bottom), OUTLINE, 2)
        _draw_line(canvas, f"{label} {score:.0%}", (left, top - line_height(canvas)))


def _draw_line(canvas: U8, text: str, corner_xy: tuple[int, int]) -> None:
    """Draws text on a dark band whose upper left corner is as near ``corner_xy`` as the picture allows."""
    height = line_height(canvas)
    scale = height / FONT_HEIGHT_PX * 0.62
    text = text.replace("\n", " ")
    (width, _), baseline = cv2.getTextSize(text, FONT, scale, 1)
    x = max(min(corner_xy[0], canvas.shape[1] - width - 8), 0)
    y = max(min(corner_xy[1], canvas.shape[0] - height), 0)
    cv2.rectangle(canvas, (x, y), (x + width + 8, y + height - 1), BACKGROUND, cv2.FILLED)
    cv2.putText(
        canvas, text, (x + 4, y + height - 1 - max(baseline // 2, 3)), FONT, scale, INK, 1, cv2.LINE_AA
    )
