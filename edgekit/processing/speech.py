"""Stretches of speech out of probabilities of speech, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.bundle.sound_head import ActivityHead
from edgekit.types import F32


def speech_segments(
    scores: F32, frame_samples: int, total_samples: int, rate_hz: int, head: ActivityHead
) -> list[tuple[int, int]]:
    """First sample and end of each stretch of speech.

    The rules of silero-vad's ``get_speech_timestamps`` (``utils_vad.py``) without a longest stretch: hysteresis of two
    thresholds, then short ones are left out, then padding, which two neighbours share where it does not fit between.

    Args:
        scores: ``(frames,)`` probabilities of speech.
        frame_samples: from one frame to the next.
        total_samples: of the sound; the last frame may reach beyond it.
        rate_hz: of the sound.
        head: thresholds and times.
    """
    least = rate_hz * head.min_speech_ms / 1000
    found = [
        [start, end]
        for start, end in _stretches(scores, frame_samples, total_samples, rate_hz, head)
        if end - start > least
    ]
    pad = rate_hz * head.pad_ms / 1000
    for i, segment in enumerate(found):
        if i == 0:
            segment[0] = int(max(0, segment[0] - pad))
        if i == len(found) - 1:
            segment[1] = int(min(total_samples, segment[1] + pad))
            break
        following = found[i + 1]
        silence = following[0] - segment[1]
        share = silence // 2 if silence < 2 * pad else pad
        segment[1] = int(min(total_samples, segment[1] + share))
        following[0] = int(max(0, following[0] - share))
    return [(start, end) for start, end in found]


def _stretches(
    scores: F32, frame_samples: int, total_samples: int, rate_hz: int, head: ActivityHead
) -> Iterator[tuple[int, int]]:
    """Those that the thresholds make, of any length."""
    soon = rate_hz * head.min_silence_ms / 1000
    start = quiet_since = -1
    for frame, score in enumerate(scores.tolist()):
        at = frame * frame_samples
        if score >= head.threshold:
            quiet_since = -1
            start = at if start < 0 else start
        elif start >= 0 and score < head.end_threshold:
            quiet_since = at if quiet_since < 0 else quiet_since
            if at - quiet_since >= soon:
                yield start, quiet_since
                start = quiet_since = -1
    if start >= 0:
        yield start, total_samples
