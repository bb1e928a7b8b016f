"""``docs/bundle-processing.md``, section 4.7, as code, against what reads bundles here."""

from __future__ import annotations

from math import ceil, cos, gcd, log, log10, pi

import numpy as np
import pytest

from edgekit.bundle.manifest import SoundInput
from edgekit.bundle.sound_input import LogMel, Standardize
from edgekit.processing.windows import windows
from edgekit.types import Sound


def resampled(x, rate, wanted):
    u, d = wanted // gcd(wanted, rate), rate // gcd(wanted, rate)
    m, half = max(u, d), 24 * max(u, d)
    h = {
        k: np.sinc(0.945 * k / m) * np.i0(10 * (1 - (k / half) ** 2) ** 0.5) / np.i0(10)
        for k in range(-half, half + 1)
    }
    factor = u / sum(h.values())
    return [
        factor * sum(x[j] * h.get(i * d - j * u, 0.0) for j in range(len(x)))
        for i in range(ceil(len(x) * u / d))
    ]


def mel_of(f):
    return 3 * f / 200 if f < 1000 else 15 + 27 * log(f / 1000) / log(6.4)


def hertz_of(mel):
    return 200 * mel / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def log_mel(x, rate, mels, window, hop):
    half = window // 2
    x = [*x[half:0:-1], *x, *x[-2 : -half - 2 : -1]]
    bins = [rate / 2 * b / half for b in range(half + 1)]
    edges = [hertz_of(mel_of(rate / 2) * i / (mels + 1)) for i in range(mels + 2)]
    y = []
    for t in range((len(x) - 2 * half) // hop):
        frame = [x[t * hop + k] * (0.5 - 0.5 * cos(2 * pi * k / window)) for k in range(window)]
        p = [
            abs(sum(v * np.exp(-2j * pi * b * k / window) for k, v in enumerate(frame))) ** 2
            for b in range(half + 1)
        ]
        y.append([])
        for low, mid, high in zip(edges, edges[1:], edges[2:], strict=False):
            band = [max(0.0, min((f - low) / (mid - low), (high - f) / (high - mid))) for f in bins]
            total = sum(b * v for b, v in zip(band, p, strict=True)) * 2 / (high - low)
            y[-1].append(log10(max(total, 1e-10)))
    y = np.array(y).T
    return (np.maximum(y, y.max() - 8) + 4) / 4


def sound(n, rate):
    return Sound(np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32), rate)


@pytest.mark.parametrize(("rate", "wanted"), [(3000, 2000), (2000, 3000), (2500, 1000), (1000, 1000)])
def test_rate(rate, wanted):
    given = sound(61, rate)
    (made,) = windows(given, SoundInput(tensor="x", rate_hz=wanted))
    expected = resampled(given.samples.astype(float), rate, wanted) if rate != wanted else given.samples
    np.testing.assert_allclose(made[0], expected, atol=1e-6)


@pytest.mark.parametrize("pad", ["window", "least"])
def test_windows(pad):
    given = sound(23, 1000)
    spec = SoundInput(tensor="x", rate_hz=1000, window_samples=10, pad=pad, min_samples=4, context_samples=2)
    x = given.samples.tolist()
    last = 10 if pad == "window" else 4
    expected = [[0, 0, *x[:10]], x[8:20], [*x[18:23], *[0] * (last - 3)]]
    assert [made[0].tolist() for made in windows(given, spec)] == expected


def test_features():
    given = sound(50, 1000)
    (made,) = windows(given, SoundInput(tensor="x", rate_hz=1000, features=Standardize(epsilon=0.1)))
    x = given.samples.astype(float)
    np.testing.assert_allclose(made[0], (x - x.mean()) / (x.var() + 0.1) ** 0.5, atol=1e-6)
    spec = LogMel(mels=5, window=16, hop=7)
    (made,) = windows(sound(50, 4000), SoundInput(tensor="x", rate_hz=4000, features=spec))
    assert made.shape == (1, 5, 7)
    np.testing.assert_allclose(
        made[0], log_mel(sound(50, 4000).samples.astype(float), 4000, 5, 16, 7), atol=1e-6
    )
