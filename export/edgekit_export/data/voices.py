"""A made-up voice: pulses through formants with pauses and noise, so that no one's recording is needed.

Source and filter after Klatt, "Software for a cascade/parallel formant synthesizer" (JASA 67, 1980): second-order
resonators one after the other. It says nothing, but detectors of speech hear speech in it.
"""

from __future__ import annotations

import numpy as np

from edgekit.types import F32, Array, Sound

VERSION = 1
RATE_HZ = 16_000
SAMPLE_S = 3.0  # of a sound to measure on
FORMANTS_HZ = (
    (730, 1090, 2440),  # vowels of Peterson and Barney (JASA 24, 1952), men: a
    (530, 1840, 2480),  # e
    (270, 2290, 3010),  # i
    (570, 840, 2410),  # o
    (300, 870, 2240),  # u
    (660, 1720, 2410),  # ae
)
_WIDTHS_HZ = (80, 100, 150)


def draw_voice(seed: int, seconds: float = 1.0) -> Sound:
    """Syllables between pauses, in noise.

    Args:
        seed: same seed, same sound.
        seconds: how long it is.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    total = round(seconds * RATE_HZ)
    made = np.zeros(total)
    at = int(rng.integers(0, RATE_HZ // 8))
    while at < total:
        spoken = _syllable(rng, int(rng.integers(RATE_HZ // 8, RATE_HZ // 3)))[: total - at]
        made[at : at + len(spoken)] += spoken
        pause = RATE_HZ // 40 if rng.random() < 0.8 else RATE_HZ // 3
        at += len(spoken) + int(rng.integers(pause // 2, pause))
    made *= rng.uniform(0.1, 0.5) / max(np.abs(made).max(), 1e-9)
    noise = rng.normal(size=total) * 10 ** -rng.uniform(2.5, 4)
    codes = np.clip(np.rint((made + noise) * 32768), -32768, 32767)
    return Sound((codes / 32768).astype(np.float32), RATE_HZ)  # as a WAV of 16 bits holds it


def _syllable(rng: np.random.Generator, n: int) -> Array:
    """A hiss, then a vowel that glides into another; rising and falling in loudness."""
    pitch = rng.uniform(90, 220) * np.linspace(1, rng.uniform(0.8, 1.1), n)
    turns = np.cumsum(pitch / RATE_HZ)
    pulses = np.diff(np.floor(turns), prepend=0.0)
    breath = rng.normal(size=n) * 0.01
    breath[: n // 8] *= 20 * rng.random()
    first, second = rng.choice(len(FORMANTS_HZ), 2)
    parts = [_vowel(pulses + breath, FORMANTS_HZ[i]) for i in (first, second)]
    glide = np.linspace(0, 1, n)
    loud = np.sin(np.pi * np.linspace(0, 1, n)) ** 0.5
    voiced: Array = ((1 - glide) * parts[0] + glide * parts[1]) * loud
    return voiced / max(float(np.abs(voiced).max()), 1e-9)


def _vowel(source: F32 | Array, formants_hz: tuple[int, ...]) -> Array:
    made = source
    for centre, width in zip(formants_hz, _WIDTHS_HZ, strict=True):
        made = _resonator(made, centre, width)
    return made


def _resonator(source: Array, centre_hz: float, width_hz: float) -> Array:
    """``y[n] = a x[n] + b y[n-1] + c y[n-2]`` (Klatt, equation 1), by its impulse response."""
    c = -np.exp(-2 * np.pi * width_hz / RATE_HZ)
    b = 2 * np.exp(-np.pi * width_hz / RATE_HZ) * np.cos(2 * np.pi * centre_hz / RATE_HZ)
    angle = np.arccos(b / (2 * np.sqrt(-c)))
    n = np.arange(RATE_HZ // 16)
    response = (1 - b - c) * np.sqrt(-c) ** n * np.sin((n + 1) * angle) / np.sin(angle)
    return np.convolve(source, response)[: len(source)]
