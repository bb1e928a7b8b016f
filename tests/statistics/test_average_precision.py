import json

import numpy as np
import pytest

from benchmarks.coverage import Population, damaged, picture
from edgekit.statistics.average_precision import ap_drop, average_precision
from edgekit.statistics.matching import MatchTable, matches
from edgekit.types import Detections
from tests.statistics.coco_oracle import LABELS, coco_ap, random_image


def table(truths, founds):
    result = MatchTable()
    for truth, found in zip(truths, founds, strict=True):
        result.add(matches(found, *truth))
    return result.found()


@pytest.mark.parametrize("seed", range(40))
def test_equals_pycocotools_on_random_images(seed):
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(1, 5))
    most = 400 if seed % 10 == 0 else 30  # more boxes than the hundred that count, and few
    images = [random_image(rng, classes, int(rng.integers(0, most))) for _ in range(int(rng.integers(1, 12)))]
    truths, founds = zip(*images, strict=True)
    found = table(truths, founds)
    ours, ours_50 = average_precision(found), average_precision(found, (0,))
    theirs = coco_ap(truths, founds, classes)
    assert (ours is None) == (theirs is None)
    if ours is not None:
        assert (ours.ap, ours_50.ap) == pytest.approx(theirs, abs=1e-9)
        assert ours.by_class.mean() == pytest.approx(ours.ap)
        assert ours.influence.sum() == pytest.approx(0, abs=1e-9)
        assert ours.share.sum() == pytest.approx(1)


def coco_images(test_data, seed):
    """The 79 photos' annotations, with boxes that a middling detector might find."""
    held = json.loads((test_data / "coco" / "annotations" / "instances_val2017.json").read_text())
    present = {int(path.stem) for path in (test_data / "coco" / "val2017").glob("*.jpg")}
    numbers = {c["id"]: i for i, c in enumerate(held["categories"])}
    rng, truths, founds = np.random.default_rng(seed), [], []
    for image in sorted(present):
        rows = [a for a in held["annotations"] if a["image_id"] == image]
        xywh = np.array([a["bbox"] for a in rows], np.float32).reshape(-1, 4)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
        index = np.array([numbers[a["category_id"]] for a in rows], np.int32)
        truths.append((xyxy, index, np.array([a["iscrowd"] for a in rows], bool)))
        keep = np.repeat(np.arange(len(rows)), rng.integers(0, 4, len(rows)))
        jittered = xyxy[keep] + rng.normal(0, 0.08, (len(keep), 4)) * np.tile(xywh[keep, 2:], (1, 2))
        jittered[:, 2:] = np.maximum(jittered[:, 2:], jittered[:, :2] + 1)
        wrong = np.where(rng.random(len(keep)) < 0.1, rng.integers(0, 80, len(keep)), index[keep])
        scores = rng.random(len(keep)).astype(np.float32)
        found = Detections(jittered.astype(np.float32), scores, wrong.astype(np.int32), LABELS * 20)
        founds.append(found)
    assert len(truths) == 79
    return truths, founds


@pytest.mark.parametrize("seed", range(3))
def test_equals_pycocotools_on_photos(test_data, seed):
    truths, founds = coco_images(test_data, seed)
    found = table(truths, founds)
    ours = average_precision(found).ap, average_precision(found, (0,)).ap
    assert ours == pytest.approx(coco_ap(truths, founds, 80), abs=1e-9)
    assert 0.1 < ours[0] < ours[1] < 0.9


def test_no_object_and_no_box():
    rng = np.random.default_rng(0)
    (xyxy, index, crowd), found = random_image(rng, 2, 5)
    assert average_precision(table([(xyxy, index, crowd | True)], [found])) is None
    _, nothing = random_image(rng, 2, 0)
    blind = average_precision(table([(xyxy, index, crowd)], [nothing]))
    assert blind.ap == 0
    assert not blind.influence.any()


def pairs(seed, images, rate=0.1):
    """Two passable detectors, the candidate damaged, on simulated pictures."""
    rng = np.random.default_rng(seed)
    sides = MatchTable(), MatchTable()
    for _ in range(images):
        one = picture(rng)
        sides[0].add(one.matches(one.found))
        sides[1].add(one.matches(damaged(rng, one.found, rate, "mixed") or one.found))
    return sides[0].found(), sides[1].found()


def test_influence_is_the_change_when_an_image_is_left_out():
    found, _ = pairs(2, 200)
    whole = average_precision(found)
    changes = []
    for image in range(0, 200, 4):
        rest = average_precision(Population(found).drawn(np.delete(np.arange(200), image)))
        changes.append((whole.areas.mean() - rest.areas.mean()) * 199 / 200)
    slope, _ = np.polyfit(changes, whole.influence[::4], 1)
    assert slope == pytest.approx(1, abs=0.1)
    assert np.corrcoef(changes, whole.influence[::4])[0, 1] > 0.98


def test_spread_is_the_bootstraps():
    """Standard error of the drop by influence, and by drawing the images anew 300 times."""
    reference, candidate = pairs(3, 200)
    found, rng = ap_drop(reference, candidate, np.arange(200), (0, 5)), np.random.default_rng(4)
    sides = [Population(side) for side in (reference, candidate)]
    drops = []
    for _ in range(300):
        images = rng.integers(0, 200, 200)
        first, second = (average_precision(side.drawn(images), (0, 5)) for side in sides)
        drops.append(first.areas.mean() - second.areas.mean())
    assert np.sqrt(found.moments.residual2) == pytest.approx(np.std(drops), rel=0.15)


def test_rounding_and_bias_widen():
    reference, candidate = pairs(5, 200)
    found = ap_drop(reference, candidate, np.arange(200))
    inner, outer = found.moments.interval(), found.interval()
    assert found.rounding > 0
    assert outer.low == pytest.approx(inner.low - found.rounding - max(found.bias, 0))
    assert outer.high == pytest.approx(inner.high + found.rounding + max(-found.bias, 0))
    assert abs(found.drop - found.moments.ratio) <= found.rounding + 1e-12
    assert found.interval(4.0).high < outer.high < found.interval(confidence=0.99).high


def test_one_source_says_nothing():
    reference, candidate = pairs(6, 20)
    found = ap_drop(reference, candidate, np.zeros(20, int))
    assert found.bias == 0
    assert found.interval().high >= found.drop + 1


def test_drop_by_source():
    rng = np.random.default_rng(5)
    truths, founds = zip(*(random_image(rng, 2, 20) for _ in range(40)), strict=True)
    worse = [random_image(rng, 2, 20)[1] if i < 4 else found for i, found in enumerate(founds)]
    a, b = table(truths, founds), table(truths, worse)
    alone, by_source = ap_drop(a, b, np.arange(40)), ap_drop(a, b, np.arange(40) // 4)
    assert alone.drop == by_source.drop == average_precision(a).ap - average_precision(b).ap
    assert (alone.moments.clusters, by_source.moments.clusters) == (40, 10)
    assert alone.interval().low < alone.drop < alone.interval().high
    same = ap_drop(a, a, np.arange(40))
    assert same.moments.changed == same.drop == 0
    assert same.interval().high == pytest.approx(-same.interval().low)
    assert same.interval().high > 3 / 40
