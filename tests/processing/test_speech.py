from __future__ import annotations

import numpy as np
import pytest

from edgekit.bundle.manifest import ActivityHead
from edgekit.processing.speech import speech_segments

HEAD = ActivityHead(
    tensor="s", threshold=0.5, end_threshold=0.3, min_silence_ms=20, min_speech_ms=15, pad_ms=0
)


@pytest.mark.parametrize(
    ("scores", "found"),
    [
        ([], []),
        ([0.4, 0.4], []),
        ([0.9, 0.9, 0.1, 0.1, 0.1], [(0, 20)]),
        ([0.9, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1], [(0, 40)]),  # a short silence does not end it
        ([0.9, 0.4, 0.4, 0.4, 0.1, 0.1, 0.1], [(0, 40)]),  # between the thresholds it goes on
        ([0.1, 0.9, 0.1, 0.1, 0.1, 0.1], []),  # too short
        ([0.1, 0.9, 0.9], [(10, 28)]),  # to the end of the sound
        ([0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9], [(0, 20), (50, 78)]),
    ],
)
def test_thresholds_and_times(scores, found):
    total = max(10 * len(scores) - 2, 0)
    assert speech_segments(np.float32(scores), 10, total, 1000, HEAD) == found


def test_padding_is_shared_where_it_does_not_fit():
    scores = np.float32([0, 0, 0.9, 0.9, 0, 0, 0, 0.9, 0.9, 0, 0, 0])
    head = ActivityHead(
        tensor="s", threshold=0.5, end_threshold=0.3, min_silence_ms=20, min_speech_ms=15, pad_ms=25
    )
    assert speech_segments(scores, 10, 120, 1000, head) == [(0, 55), (55, 115)]
