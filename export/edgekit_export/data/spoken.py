"""Sentences spoken by espeak-ng in noise, for what hears speech.

espeak-ng (a Debian package) speaks by rule: nobody's voice, the same sound on every machine of its version.
"""

from __future__ import annotations

import subprocess
from functools import lru_cache
from shutil import which

import numpy as np

from edgekit.errors import EnvironmentLacks
from edgekit.processing.resample import at_rate
from edgekit.processing.wav import read_wav
from edgekit.types import F32, Array, Sound
from edgekit_export.data.sentences import SENTENCES

VERSION = 1
RATE_HZ = 16_000
VOICES = ("en-us", "en-gb", "de", "es", "fr-fr", "it", "pt", "ru", "nl", "pl")
VARIANTS = ("", "+f1", "+f2", "+f3", "+m1", "+m3", "+m5", "+m7")
NOISES_DB = (None, 30, 20, 10, 5)  # of speech above noise
_TIMEOUT_S = 60


def require_espeak() -> str:
    """Path of the program.

    Raises:
        EnvironmentLacks: it is not installed.
    """
    found = which("espeak-ng")
    if found is None:
        raise EnvironmentLacks(
            "espeak-ng, which speaks the sentences, is not installed", "apt-get install espeak-ng"
        )
    return found


def speak(seed: int) -> tuple[Sound, str]:
    """Two sentences between pauses, in noise or none, and what was said.

    Args:
        seed: same seed, same sound.

    Raises:
        EnvironmentLacks: espeak-ng is not installed, or failed.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    voice = str(rng.choice(VOICES)) + str(rng.choice(VARIANTS))
    speed, pitch = int(rng.integers(120, 220)), int(rng.integers(20, 80))
    texts = [str(text) for text in rng.choice(SENTENCES, 2, replace=False)]
    parts: list[Array] = [np.zeros(int(rng.integers(RATE_HZ // 5, RATE_HZ)))]
    for text in texts:
        parts += [_spoken(text, voice, speed, pitch), np.zeros(int(rng.integers(RATE_HZ // 5, RATE_HZ)))]
    clean = np.concatenate(parts)
    clean *= rng.uniform(0.05, 0.5) / max(float(np.abs(clean).max()), 1e-9)
    level_db = NOISES_DB[int(rng.integers(len(NOISES_DB)))]
    if level_db is not None:
        power = float(np.mean(clean[clean != 0] ** 2))
        clean = clean + _noise(rng, len(clean)) * np.sqrt(power / 10 ** (level_db / 10))
    codes = np.clip(np.rint(clean * 32768), -32768, 32767)
    return Sound((codes / 32768).astype(np.float32), RATE_HZ), " ".join(texts)


def _noise(rng: np.random.Generator, n: int) -> Array:
    """White, pink or a hum with white below it; of power 1."""
    white = rng.normal(size=n)
    kind = int(rng.integers(3))
    if kind == 1:
        spectrum = np.fft.rfft(white)
        white = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1.0), n)
    elif kind == 2:
        turns = 2 * np.pi * float(rng.uniform(48, 62)) * np.arange(n) / RATE_HZ
        white = white * 0.2 + sum(np.sin(k * turns) / k for k in (1, 2, 3, 5))
    made: Array = white / np.sqrt(np.mean(white**2))
    return made


@lru_cache(maxsize=512)
def _spoken(text: str, voice: str, speed: int, pitch: int) -> F32:
    command = [require_espeak(), "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", "--", text]
    done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode:
        raise EnvironmentLacks(f"espeak-ng failed: {done.stderr.decode(errors='replace').strip()[:200]}")
    return at_rate(read_wav(done.stdout, "espeak-ng"), RATE_HZ)
