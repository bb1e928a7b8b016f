"""A sound as the calls of a graph take it: one array a window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgekit.bundle.sound_input import LogMel, SoundInput
from edgekit.processing.mel import log_mel, standardize
from edgekit.processing.resample import at_rate
from edgekit.types import F32, Sound


def windows(sound: Sound, spec: SoundInput) -> Iterator[F32]:
    """What the graph is given, window by window.

    Args:
        sound: at any rate.
        spec: the model's input.

    Yields:
        ``(1, samples)`` or ``(1, mels, frames)`` float32.
    """
    samples = at_rate(sound, spec.rate_hz)
    size = spec.window_samples or len(samples)
    ahead = spec.context_samples
    padded = np.pad(samples, (ahead, 0))
    for start in range(0, len(samples), size):
        given = padded[start : start + ahead + size]
        least = size if spec.pad == "window" else spec.min_samples
        given = np.pad(given, (0, max(0, ahead + max(least, spec.min_samples) - len(given))))
        yield _features(given, spec)[None]


def _features(samples: F32, spec: SoundInput) -> F32:
    if spec.features is None:
        return samples
    if isinstance(spec.features, LogMel):
        return log_mel(samples, spec.rate_hz, spec.features)
    return standardize(samples, spec.features)
