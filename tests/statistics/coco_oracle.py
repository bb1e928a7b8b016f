"""pycocotools as the oracle of average precision, and random images to ask it about."""

import contextlib
import io

import numpy as np
import pytest

from edgekit.types import Detections

LABELS = tuple("abcd")


def coco_ap(truths, founds, classes):
    """AP and AP50 by pycocotools; ``None`` without objects.

    ``truths``: ``(xyxy, index, crowd)`` of each image; ``founds``: its ``Detections``; class numbers from 0.
    """
    coco_module = pytest.importorskip("pycocotools.coco")
    evaluator_module = pytest.importorskip("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_module.COCO()
        coco.dataset = {
            "images": [{"id": i} for i in range(len(truths))],
            "annotations": [
                {"id": 0, "image_id": i, "category_id": int(c), "bbox": xywh(box), "iscrowd": int(crowd)}
                for i, truth in enumerate(truths)
                for box, c, crowd in zip(*truth, strict=True)
            ],
            "categories": [{"id": c} for c in range(classes)],
        }
        for number, annotation in enumerate(coco.dataset["annotations"], 1):
            annotation.update(id=number, area=annotation["bbox"][2] * annotation["bbox"][3])
        coco.createIndex()
        boxes = [
            {"image_id": i, "category_id": int(c), "bbox": xywh(box), "score": float(score)}
            for i, found in enumerate(founds)
            for box, score, c in zip(found.xyxy, found.score, found.index, strict=True)
        ]
        evaluator = evaluator_module.COCOeval(coco, coco.loadRes(boxes), "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
    precision = evaluator.eval["precision"][:, :, :, 0, 2]
    if (precision == -1).all():
        return None
    return precision[precision > -1].mean(), precision[0][precision[0] > -1].mean()


def xywh(box):
    left, top, right, bottom = (float(v) for v in box)
    return [left, top, right - left, bottom - top]


def random_boxes(rng, n):
    xy, wh = rng.integers(0, 60, (n, 2)), rng.integers(5, 40, (n, 2))
    return np.concatenate([xy, xy + wh], 1).astype(np.float32)


def random_image(rng, classes, boxes):
    """Objects, one in five a crowd, and boxes on whole pixels with coarse scores: ties of both everywhere."""
    objects = int(rng.integers(0, 6))
    xyxy = random_boxes(rng, objects)
    found = random_boxes(rng, boxes)
    if objects:
        near = xyxy[rng.integers(0, objects, boxes)] + rng.integers(-4, 5, (boxes, 4)).astype(np.float32)
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        found = np.where(rng.random((boxes, 1)) < 0.6, near, found)
    index = rng.integers(0, classes, objects).astype(np.int32)
    detections = Detections(
        found.astype(np.float32),
        np.round(rng.random(boxes), 1).astype(np.float32),
        rng.integers(0, classes, boxes).astype(np.int32),
        LABELS,
    )
    return (xyxy, index, rng.random(objects) < 0.2), detections
