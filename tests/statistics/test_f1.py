import numpy as np
import pytest

from edgekit.statistics.f1 import f1_drop
from edgekit.statistics.matching import MatchTable, matches
from tests.statistics.coco_oracle import random_image


def tables(seed, images=30):
    rng = np.random.default_rng(seed)
    result = MatchTable(), MatchTable()
    for _ in range(images):
        truth, found = random_image(rng, 3, 15)
        result[0].add(matches(found, *truth))
        result[1].add(matches(random_image(rng, 3, 15)[1], *truth))
    return result[0].found(), result[1].found()


def f1_at(found, threshold):
    kept = (found.score >= threshold) & (found.ignored & 1 == 0)
    hits, boxes, objects = (found.hit[kept] & 1).sum(), kept.sum(), len(found.object_index)
    precision, recall = hits / max(boxes, 1), hits / objects
    return 2 * precision * recall / (precision + recall) if hits else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_both_values(seed):
    reference, candidate = tables(seed)
    found = f1_drop(reference, candidate, np.arange(30), 0.4)
    assert found.reference == pytest.approx(f1_at(reference, 0.4))
    assert found.candidate == pytest.approx(f1_at(candidate, 0.4))
    assert found.moments.ratio == pytest.approx(found.reference - found.candidate)
    assert found.moments.interval().low < found.moments.ratio < found.moments.interval().high


def test_given_threshold_and_nothing_found():
    reference, candidate = tables(7)
    assert f1_drop(reference, candidate, np.arange(30), 0.75).reference == f1_at(reference, 0.75)
    above = f1_drop(reference, candidate, np.arange(30), 2.0)
    assert above.reference == above.candidate == above.moments.ratio == 0


def test_no_object():
    found = MatchTable()
    assert f1_drop(found.found(), found.found(), np.zeros(0, int), 0.3) is None
