"""Features of sound: log-mel spectrogram and standardised samples, as the reference processors compute them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edgekit.bundle.sound_input import LogMel, Standardize
from edgekit.types import F32

_FLOOR = 1e-10
_RANGE = 8.0  # powers of ten below the loudest
_BLOCK = 2**21  # samples under windows at a time: windows overlap, all at once are many times the sound


def log_mel(samples: F32, rate_hz: int, spec: LogMel) -> F32:
    """Whisper's log-mel spectrogram (arXiv 2212.04356; ``log_mel_spectrogram`` of openai/whisper's ``audio.py``).

    Args:
        samples: ``(n,)`` float32, at least a hop. Sums are in double precision: near-silent bands beside a loud tone
            drown in the rounding of single precision.
        rate_hz: of the samples.
        spec: bands, window and hop.

    Returns:
        ``(mels, n // hop)`` float32, about -1 to 1.5.
    """
    half = spec.window // 2
    padded = np.pad(samples.astype(np.float64), half, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, spec.window)
    frames = windows[:: spec.hop][: len(samples) // spec.hop]
    weights, many = mel_bands(spec.mels, spec.window, rate_hz), max(1, _BLOCK // spec.window)
    bands = np.empty((spec.mels, len(frames)))
    for start in range(0, len(frames), many):
        spectrum = np.fft.rfft(frames[start : start + many] * _hann(spec.window), axis=1)
        bands[:, start : start + many] = weights @ (spectrum.real**2 + spectrum.imag**2).T
    logs = np.log10(np.maximum(bands, _FLOOR))
    made: F32 = ((np.maximum(logs, logs.max() - _RANGE) + 4) / 4).astype(np.float32)
    return made


def standardize(samples: F32, spec: Standardize) -> F32:
    """Mean 0 and variance 1; mean and variance are summed in double precision.

    Args:
        samples: ``(n,)`` float32.
        spec: epsilon, which keeps silence finite.

    Returns:
        ``(n,)`` float32.
    """
    mean, variance = samples.mean(dtype=np.float64), samples.var(dtype=np.float64)
    made: F32 = ((samples - mean) / np.sqrt(variance + spec.epsilon)).astype(np.float32)
    return made


@lru_cache(maxsize=4)
def _hann(window: int) -> npt.NDArray[np.float64]:
    """Periodic: the first value is 0, the one after the last would be."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)


@lru_cache(maxsize=4)
def mel_bands(mels: int, window: int, rate_hz: int) -> npt.NDArray[np.float64]:
    """Weights of the bands, triangles over the bins of the Fourier transform.

    Malcolm Slaney's "Auditory Toolbox" (1998): the edges are even on his scale, each triangle has the same area.

    Returns:
        ``(mels, window // 2 + 1)`` float64.
    """
    bins = np.linspace(0, rate_hz / 2, window // 2 + 1)
    edges = _hertz(np.linspace(0, _mel(rate_hz / 2), mels + 2))
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    made: npt.NDArray[np.float64] = triangles * (2 / (edges[2:] - edges[:-2]))[:, None]
    return made


_LINEAR_HZ = 1000.0  # the scale is linear below, logarithmic above
_MELS_AT_LINEAR = 15.0
_STEP = np.log(6.4) / 27


def _mel(hertz: float) -> float:
    if hertz < _LINEAR_HZ:
        return 3 * hertz / 200
    return float(_MELS_AT_LINEAR + np.log(hertz / _LINEAR_HZ) / _STEP)


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    high = _LINEAR_HZ * np.exp(_STEP * (mels - _MELS_AT_LINEAR))
    return np.where(mels >= _MELS_AT_LINEAR, high, 200 * mels / 3)
