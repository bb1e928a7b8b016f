"""Features of sound against transformers' processors, the resampler against scipy's; differences are printed."""

from __future__ import annotations

import io

import numpy as np
import pytest

from edgekit.bundle.sound_input import LogMel, Standardize
from edgekit.errors import DataError
from edgekit.processing import mel
from edgekit.processing.mel import log_mel, mel_bands, standardize
from edgekit.processing.resample import at_rate, lowpass, resample
from edgekit.processing.sounds import decode_sound
from edgekit.types import Sound

N = 50
LIMIT = 1e-4
WINDOW = 480_000


def recordings(seed):
    """N recordings of odd lengths, channel counts, rates and loudness: floats ``(samples, channels)`` and the rate."""
    rng = np.random.default_rng(seed)
    for _ in range(N):
        n, channels = 2 * int(rng.integers(150, 40_000)) + 1, int(rng.choice([1, 2, 3, 5, 7]))
        rate = int(rng.choice([8000, 11025, 12345, 16000, 16001, 22050, 32000, 44100, 48000]))
        tone = np.sin(np.arange(n) * float(rng.uniform(0.01, 2)))[:, None] * rng.uniform(0, 1, channels)
        noise = rng.normal(size=(n, channels)) * 10 ** -rng.uniform(1, 4)
        loud = 10 ** -rng.uniform(0.3, 3)
        yield np.clip((tone + noise) * loud, -1, 1), rate


def heard(values, rate):
    """What we make of the file, and what a reference processor is to be given: at 16 kHz, by other libraries."""
    soundfile = pytest.importorskip("soundfile", reason="soundfile writes and reads the recordings")
    signal = pytest.importorskip("scipy.signal", reason="scipy is the oracle of resampling")
    file = io.BytesIO()
    soundfile.write(file, values, rate, format="WAV", subtype="PCM_16")
    file.seek(0)
    theirs = soundfile.read(file, dtype="float64", always_2d=True)[0].mean(axis=1)
    if rate != 16_000:
        divisor = int(np.gcd(rate, 16_000))
        up, down = 16_000 // divisor, rate // divisor
        theirs = signal.resample_poly(theirs, up, down, window=lowpass(up, down) / up)
    return at_rate(decode_sound(file.getvalue(), "x.wav"), 16_000), theirs.astype(np.float32)


@pytest.mark.parametrize("mels", [80, 128])
def test_log_mel_is_whispers(mels):
    """Transformers computes these by numpy, in double precision, or where torch is installed by torch, in single.

    The two differ by up to 1.8e-4 in bands that are almost silent beside a tone. We are within 1e-4 of the exact one,
    and no further than that and the spread from the other.
    """
    transformers = pytest.importorskip("transformers", reason="transformers is the oracle")
    processor = transformers.WhisperFeatureExtractor(feature_size=mels, chunk_length=2)
    exact, single, spread = [], [], []
    for values, rate in recordings(mels):
        ours, theirs = (np.pad(x, (0, 32_000))[:32_000] for x in heard(values, rate))
        by_numpy = processor._np_extract_fbank_features(theirs[None], "cpu")[0]
        by_torch = processor(theirs, sampling_rate=16_000, return_tensors="np")["input_features"][0]
        made = log_mel(ours, 16_000, LogMel(mels))
        assert made.shape == by_numpy.shape == by_torch.shape == (mels, 200)
        for found, a, b in ((exact, made, by_numpy), (single, made, by_torch), (spread, by_numpy, by_torch)):
            found.append(float(np.abs(a - b).max()))
    print(  # noqa: T201
        f"log-mel, {mels} bands, n = {N}: {max(exact):.2g} from transformers' numpy, {max(single):.2g} from its torch, "
        f"which differ by {max(spread):.2g}; median {np.median(single):.2g}, "
        f"{sum(d > LIMIT for d in single)} above {LIMIT}"
    )
    assert max(exact) <= LIMIT
    assert max(single) <= LIMIT + max(spread)


def test_log_mel_of_the_whole_window():
    transformers = pytest.importorskip("transformers", reason="transformers is the oracle")
    sound = np.random.default_rng(3).normal(size=WINDOW).astype(np.float32) * 0.1
    expected = transformers.WhisperFeatureExtractor()(sound, sampling_rate=16_000, return_tensors="np")
    made = log_mel(sound, 16_000, LogMel(80))
    assert made.shape == (80, 3000)
    np.testing.assert_allclose(made, expected["input_features"][0], atol=LIMIT, rtol=0)


def test_standardized_samples_are_wav2vec2s():
    transformers = pytest.importorskip("transformers", reason="transformers is the oracle")
    processor = transformers.Wav2Vec2FeatureExtractor()
    worst = 0.0
    for values, rate in recordings(1):
        ours, theirs = heard(values, rate)
        expected = processor(theirs, sampling_rate=16_000, return_tensors="np")["input_values"][0]
        made = standardize(ours, Standardize())
        assert made.shape == expected.shape
        worst = max(worst, float(np.abs(made - expected).max()))
    print(  # noqa: T201
        f"standardized samples, n = {N}: largest difference {worst:.3g}"
    )
    assert worst <= LIMIT


def test_blocks_make_no_difference(monkeypatch):
    samples = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
    whole = log_mel(samples, 16_000, LogMel(mels=40))
    for block in (1, 400, 7 * 400, 25 * 400):
        monkeypatch.setattr(mel, "_BLOCK", block)
        np.testing.assert_allclose(log_mel(samples, 16_000, LogMel(mels=40)), whole, atol=1e-6)


def test_silence_has_features():
    silence = np.zeros(16_000, np.float32)
    assert (log_mel(silence, 16_000, LogMel(80)) == -1.5).all()
    assert (standardize(silence, Standardize()) == 0).all()


def test_bands_have_the_same_area():
    areas = mel_bands(80, 4000, 16_000).sum(axis=1) * (8000 / 2000)
    np.testing.assert_allclose(areas, 1, rtol=0.01)


@pytest.mark.parametrize("n", [1, 2, 7, 1000, 5003])
@pytest.mark.parametrize("rate", [8000, 11025, 12345, 15999, 22050, 44100, 48000, 96000])
def test_resample_against_scipy(rate, n):
    signal = pytest.importorskip("scipy.signal", reason="scipy is the oracle")
    given = np.random.default_rng(n).normal(size=n).astype(np.float32)
    divisor = int(np.gcd(rate, 16_000))
    up, down = 16_000 // divisor, rate // divisor
    expected = signal.resample_poly(given.astype(float), up, down, window=lowpass(up, down) / up)
    made = resample(given, rate, 16_000)
    assert made.shape == expected.shape == (-(-n * 16_000 // rate),)
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_a_tone_survives_and_what_cannot_be_held_goes():
    seconds = np.arange(48_000) / 48_000
    low, high = (np.sin(2 * np.pi * f * seconds).astype(np.float32) for f in (3000, 9000))
    kept = resample(low, 48_000, 16_000)[200:-200]
    np.testing.assert_allclose(
        kept, np.sin(2 * np.pi * 3000 * np.arange(16_000) / 16_000)[200:-200], atol=1e-4
    )
    assert np.abs(resample(high, 48_000, 16_000)[200:-200]).max() < 1e-4


@pytest.mark.parametrize(
    ("rate", "to"), [(96_000, 95_999), (768_000, 16_000), (1000, 96_000), (44_100, 192_000)]
)
def test_rates_that_can_be_brought_to_each_other(rate, to):
    assert len(resample(np.zeros(3, np.float32), rate, to)) == -(-3 * to // rate)


@pytest.mark.parametrize(("rate", "to"), [(96_001, 16_000), (16_000, 767_999)])
def test_rates_whose_filter_would_fill_the_memory(rate, to):
    with pytest.raises(DataError, match=f"{rate} Hz to {to} Hz .*expected both up to 96000"):
        resample(np.zeros(3, np.float32), rate, to)


def test_the_same_rate_is_left_alone():
    sound = Sound(np.ones(5, np.float32), 16_000)
    assert at_rate(sound, 16_000) is sound.samples
