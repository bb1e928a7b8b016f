from __future__ import annotations

import numpy as np
import pytest

from edgekit.data.sample import Sample
from edgekit.errors import DataError, UsageError
from edgekit.evaluation.activity import FrameAgreement
from edgekit.predictions.record import to_record, to_result
from edgekit.types import VoiceActivity


def heard(*scores):
    return VoiceActivity(np.float32(scores), 0.032, np.float32([[0, 0.1]]), 0.5)


def sample(name):
    return Sample(name, name, lambda: None)


def test_frames_are_weighed_and_sounds_are_clusters():
    scorer = FrameAgreement(labelled=False)
    for i in range(50):
        scorer.add(sample(f"s{i}"), heard(*[0.9] * 10), heard(*[0.9] * 9, 0.4 if i == 7 else 0.6))
    change = scorer.add(sample("last"), heard(0.1, 0.9), heard(0.1, 0.2))
    assert (change.changed, change.severity, change.reference) == (True, 0.5, "0.10 s of speech")
    score = scorer.score()
    assert score.candidate == score.drop == pytest.approx(2 / 502)
    assert score.agreement == pytest.approx(500 / 502)
    assert (score.clusters, score.flips.changed) == (51, 2)
    interval = score.interval_at(1.0, 0.95)
    assert interval.low < score.drop < interval.high < 0.1
    assert score.agreement_interval.low == pytest.approx(1 - interval.high)


def test_equal_and_none():
    scorer = FrameAgreement(labelled=False)
    with pytest.raises(DataError):
        scorer.score()
    scorer.add(sample("a"), heard(0.5), heard(0.5))
    assert scorer.score().agreement == 1
    assert scorer.primary() is not scorer
    with pytest.raises(UsageError, match="1 frames of the reference, 2 of the candidate"):
        scorer.add(sample("a"), heard(0.5), heard(0.5, 0.5))


def test_a_record_is_exact():
    given = heard(0.1, 0.7)
    again = to_result(to_record(given), (), "x")
    assert again.scores.tolist() == given.scores.tolist()
    assert again.segments_s.tolist() == given.segments_s.tolist()
    assert (again.step_s, again.threshold) == (given.step_s, given.threshold)
    assert again.as_json() == {"segments_s": [[0.0, 0.1]], "step_s": 0.032, "scores": [0.1, 0.7]}
    with pytest.raises(DataError, match="voice activity"):
        VoiceActivity(np.zeros((1, 2), np.float32), 0.1, np.zeros((0, 2), np.float32), 0.5)
