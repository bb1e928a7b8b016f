"""The order in which a person reads the lines of a page: columns one after the other, within them row by row.

The page is levelled first, by the median angle of its lines. Then comes a cut in the manner of recursive X-Y
cuts (Nagy, Seth and Viswanathan, Computer 25 (7), 1992), but along whitespace that lines may bridge: where a
vertical gutter has columns of text on both sides, lines across it (a title, a wide caption) part what is above
them from what is below. Rows of a table or a receipt look like columns too; what tells them apart is that
columns are made of lines, which are long, and cells are short.
"""

from __future__ import annotations

import numpy as np

from edgekit.processing.quads import side_lengths
from edgekit.types import F32, Array

LONG = 8.0
"""A line that makes a column is at least so many times wider than high."""

LEAST_LINES = 3
"""So many of them make a column."""

_SLACK = 0.4
"""Detected regions reach over their text; so much of their height is taken off at either end."""
_GUTTERS = 16
_STEEP = 3.0


def reading_order(quads: F32) -> list[int]:
    """Indices of regions in reading order.

    Args:
        quads: ``(n, 4, 2)`` corners from top left clockwise, as they lie in the picture.
    """
    return _by_columns(levelled(quads), np.arange(len(quads)))


def skew(quads: F32) -> float:
    """Angle of a page's lines in radians, -π/4 to π/4, positive where they fall to the right.

    The median over regions at least three times as long as wide, by their length; 0 where there are none.
    """
    angles, lengths = [], []
    for quad in quads.astype(np.float64):
        width, height = side_lengths(quad)
        if max(width, height) >= _STEEP * min(width, height):
            x, y = (
                quad[1] - quad[0] + quad[2] - quad[3]
                if width >= height
                else quad[3] - quad[0] + quad[2] - quad[1]
            )
            angles.append((np.arctan2(y, x) + np.pi / 4) % (np.pi / 2) - np.pi / 4)
            lengths.append(max(width, height))
    if not angles:
        return 0.0
    order = np.argsort(angles, kind="stable")
    place = np.searchsorted(np.cumsum(np.take(lengths, order)), sum(lengths) / 2)
    return float(angles[order[min(int(place), len(order) - 1)]])


def levelled(quads: F32) -> F32:
    """``(n, 4)`` boxes (left, top, right, bottom) as regions lie once the page's skew is turned back."""
    angle = skew(quads)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centers = quads.astype(np.float64).mean(axis=1) @ turn
    halves = np.array([side_lengths(quad) for quad in quads]).reshape(-1, 2) / 2
    return np.hstack([centers - halves, centers + halves]).astype(np.float32)


def _by_columns(boxes: F32, which: Array) -> list[int]:
    """Order of the boxes ``which``: by columns where there are some, else by rows."""
    gutter = _gutter(boxes[which])
    if gutter is None:
        return _by_rows(boxes, which)
    order: list[int] = []
    plain: list[Array] = []
    for left, right, is_column in _bands(boxes[which], gutter):
        if is_column:
            order += _by_rows(boxes, which[np.concatenate(plain)]) if plain else []
            order += _by_columns(boxes, which[left]) + _by_columns(boxes, which[right])
            plain = []
        else:
            plain += [left, right]
    return order + (_by_rows(boxes, which[np.concatenate(plain)]) if plain else [])


def _gutter(boxes: F32) -> float | None:
    """Where columns part: of the places with columns on both sides, the one that has most boxes in them."""
    long, slim = _is_long(boxes), _slim(boxes)
    if np.count_nonzero(long) < 2 * LEAST_LINES:
        return None
    places = np.unique(slim[:, 2])
    bridges = np.searchsorted(np.sort(slim[:, 0]), places) - np.searchsorted(
        np.sort(slim[:, 2]), places, "right"
    )
    best, most = None, 0
    for place in places[np.argsort(bridges, kind="stable")][:_GUTTERS]:
        held = sum(
            len(left) + len(right) for left, right, is_column in _bands(boxes, float(place)) if is_column
        )
        if held > most:
            best, most = float(place), held
    return best


def _bands(boxes: F32, gutter: float) -> list[tuple[Array, Array, bool]]:
    """From top to bottom: what lies left and right of the gutter between two boxes across it, and whether these
    are columns. A box across is a band of its own."""
    slim, middle = _slim(boxes), (boxes[:, 1] + boxes[:, 3]) / 2
    left, right = slim[:, 2] <= gutter, slim[:, 0] >= gutter
    across = np.flatnonzero(~left & ~right)
    across = across[np.argsort(middle[across], kind="stable")]
    above = np.searchsorted(middle[across], middle)
    long, bands = _is_long(boxes), []
    none = np.zeros(0, np.intp)
    for band in range(len(across) + 1):
        sides = np.flatnonzero(left & (above == band)), np.flatnonzero(right & (above == band))
        bands.append((*sides, _are_columns(boxes, long, *sides)))
        if band < len(across):
            bands.append((across[band : band + 1], none, False))
    return bands


def _are_columns(boxes: F32, long: Array, left: Array, right: Array) -> bool:
    """Whether both sides have enough long lines, and stand beside each other for half of the lower one's height."""
    if min(np.count_nonzero(long[left]), np.count_nonzero(long[right])) < LEAST_LINES:
        return False
    tops = boxes[left, 1].min(), boxes[right, 1].min()
    bottoms = boxes[left, 3].max(), boxes[right, 3].max()
    shared = min(bottoms) - max(tops)
    return bool(shared >= 0.5 * min(bottoms[0] - tops[0], bottoms[1] - tops[1]))


def _is_long(boxes: F32) -> Array:
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(sides[:, 0] >= LONG * sides[:, 1])


def _slim(boxes: F32) -> F32:
    """The boxes without their slack at left and right."""
    slack = np.minimum(boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]) * np.float32(_SLACK)
    return np.stack([boxes[:, 0] + slack, boxes[:, 1], boxes[:, 2] - slack, boxes[:, 3]], axis=1)


def _by_rows(boxes: F32, which: Array) -> list[int]:
    """Rows from top to bottom, within a row from left to right.

    A box joins a row when its middle is within half a height (of the lower of the two) of the middle of the box
    that the row began with.
    """
    middles, lefts = boxes[:, 1::2].mean(axis=1), boxes[:, 0]
    heights = np.minimum(boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0])
    rows: list[list[int]] = []
    for index in which[np.lexsort((which, middles[which]))]:
        if rows:
            first = rows[-1][0]
            if middles[index] - middles[first] < 0.5 * min(heights[index], heights[first]):
                rows[-1].append(int(index))
                continue
        rows.append([int(index)])
    return [index for row in rows for index in sorted(row, key=lambda i: (lefts[i], i))]
