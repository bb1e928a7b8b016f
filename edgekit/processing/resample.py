"""Another sampling rate, by a windowed sinc in its polyphase form.

Smith, "Digital audio resampling" (ccrma.stanford.edu/~jos/resample), with a Kaiser window. Ours and not a library's, so
that the numbers are defined by the format and the same wherever a bundle runs.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
import numpy.typing as npt

from edgekit.errors import DataError
from edgekit.types import F32, Sound

CROSSINGS = 24
"""Zero crossings of the sinc on either side, in samples of the lower rate."""
ROLLOFF = 0.945
"""Pass band as a share of half the lower rate."""
BETA = 10.0
"""Of the Kaiser window: the stop band lies 100 dB down."""
MAX_TERM = 96_000
"""Of the ratio of two rates in lowest terms: the filter has 48 times as many taps. All rates up to this one have it."""


def at_rate(sound: Sound, rate_hz: int) -> F32:
    """The samples at another rate.

    Returns:
        ``(ceil(n * rate_hz / sound.rate_hz),)`` float32.

    Raises:
        DataError: rates without a common measure, of which the filter would fill the memory.
    """
    return resample(sound.samples, sound.rate_hz, rate_hz)


def resample(samples: F32, from_hz: int, to_hz: int) -> F32:
    """The samples at another rate; see :func:`at_rate`. Beyond its ends the sound is taken as silent."""
    if from_hz == to_hz:
        return samples
    up, down = to_hz // gcd(from_hz, to_hz), from_hz // gcd(from_hz, to_hz)
    if max(up, down) > MAX_TERM:
        raise DataError(
            f"sound: {from_hz} Hz to {to_hz} Hz is {up} to {down}, expected both up to {MAX_TERM}",
            f"convert it: ffmpeg -i IN -ar {to_hz} OUT.wav",
        )
    taps = lowpass(up, down)
    half = len(taps) // 2
    length = -(-len(samples) * up // down)
    reach = half // up + 1
    padded = np.pad(samples.astype(np.float64), (reach, reach + down))
    made = np.empty(length, np.float32)
    for phase in range(min(up, length)):
        # outputs phase, phase + up, …: the same taps, `down` samples further each
        at = phase * down  # on the grid of both rates
        first = -((half - at) // up)  # first sample that the filter reaches
        weights = taps[half - at + np.arange(first, (half + at) // up + 1) * up]
        count = -(-(length - phase) // up)
        windows = np.lib.stride_tricks.as_strided(
            padded[first + reach :],
            (count, len(weights)),
            (padded.itemsize * down, padded.itemsize),
            writeable=False,
        )
        made[phase::up] = windows @ weights
    return made


@lru_cache(maxsize=4)
def lowpass(up: int, down: int) -> npt.NDArray[np.float64]:
    """The filter on the grid that both rates share: ``2 * CROSSINGS * max(up, down) + 1`` taps, sum ``up``."""
    slower = max(up, down)
    half = CROSSINGS * slower
    at = np.arange(-half, half + 1) * (ROLLOFF / slower)
    taps = np.sinc(at) * np.kaiser(2 * half + 1, BETA)
    made: npt.NDArray[np.float64] = taps * (up / taps.sum())
    return made
