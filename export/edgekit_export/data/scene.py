"""Boards in front of a textured background, seen at an angle."""

from __future__ import annotations

import cv2
import numpy as np

from edgekit.types import F32, U8
from edgekit_export.data.boards import Board
from edgekit_export.data.vocabulary import Rng


def texture(rng: Rng, size_wh: tuple[int, int]) -> U8:
    """A background without text: three octaves of faintly coloured noise, ``(height, width, 3)`` uint8."""
    width, height = size_wh
    sheet = np.empty((height, width, 3), np.float32)
    sheet[:] = rng.uniform(70, 180) + rng.normal(0.0, 14.0, 3)
    for cells, amplitude in ((3, 32.0), (12, 14.0), (60, 8.0)):
        rows, columns = (max(2, cells * side // max(width, height)) for side in (height, width))
        light = rng.normal(0.0, amplitude, (rows, columns, 1))
        noise = (light + rng.normal(0.0, amplitude / 4, (rows, columns, 3))).astype(np.float32)
        sheet += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(sheet, 0, 255).astype(np.uint8)


def place(canvas: U8, board: Board, corners: F32) -> F32:
    """Draws a board into ``canvas`` so that its corners come to lie at ``corners``.

    Args:
        canvas: ``(height, width, 3)`` uint8, changed in place.
        board: what to draw.
        corners: ``(4, 2)`` float32: where its top left, top right, bottom right and bottom left go.

    Returns:
        ``(n, 4, 2)`` float32, the quads of the board's lines in the canvas.
    """
    image = _reduced(board.image, float(np.linalg.norm(corners[1] - corners[0])))
    board_wh = board.size_wh
    flat = np.asarray([[0, 0], [board_wh[0], 0], board_wh, [0, board_wh[1]]], np.float32)
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int), (canvas.shape[1], canvas.shape[0]))
    matrix = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    if right > left and bottom > top:
        shift = np.asarray([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64)
        window_wh = int(right - left), int(bottom - top)
        enlarge = np.diag([board_wh[0] / image.shape[1], board_wh[1] / image.shape[0], 1.0])
        _blend(canvas[top:bottom, left:right], image, shift @ matrix @ enlarge, window_wh)
    return np.asarray(cv2.perspectiveTransform(board.quads.reshape(-1, 1, 2), matrix), np.float32).reshape(
        -1, 4, 2
    )


def _reduced(image: U8, width: float) -> U8:
    """Smaller by averaging where it will be drawn much smaller: interpolation alone would drop strokes."""
    factor = 1.25 * width / image.shape[1]
    if factor >= 1:
        return image
    size_wh = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _blend(window: U8, image: U8, matrix: np.ndarray, window_wh: tuple[int, int]) -> None:
    """Lays the warped image over the window where it covers it, antialiased at its border."""
    drawn = cv2.warpPerspective(
        image, matrix, window_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    solid = np.full(image.shape[:2], 255, np.uint8)
    cover = cv2.warpPerspective(solid, matrix, window_wh, flags=cv2.INTER_LINEAR)[:, :, np.newaxis].astype(
        np.uint16
    )
    window[:] = ((drawn * cover + window * (255 - cover) + 127) // 255).astype(np.uint8)


def tilted(center_xy: tuple[float, float], size_wh: tuple[float, float], degrees: float, skew: F32) -> F32:
    """Corners of a turned rectangle, each moved by ``skew`` (``(4, 2)``, in shares of its height)."""
    width, height = size_wh
    corners = np.asarray([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    radians = np.deg2rad(degrees)
    turn = np.asarray([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    return np.asarray(corners @ turn.T + skew * height + center_xy, np.float32)
