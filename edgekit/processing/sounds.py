"""Sounds from files: WAV by ourselves, other formats by libsndfile where the extra ``sound`` is installed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from edgekit.errors import DataError, EnvironmentLacks
from edgekit.processing.wav import read_wav
from edgekit.types import F32, Sound

WAV_SUFFIXES = frozenset({".wav"})
SOUND_SUFFIXES = WAV_SUFFIXES | {".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif"}
MAX_SOUND_BYTES = 2**30
MAX_SOUND_SAMPLES = 2**28
_PIECE = 2**18


def is_sound(path: Path) -> bool:
    """Whether the name says that it is a recording; hidden files are none."""
    return path.suffix.lower() in SOUND_SUFFIXES and not path.name.startswith(".")


def to_sound(given: object) -> Sound:
    """A sound itself, or that of a file.

    Raises:
        DataError: neither, or the file cannot be read.
        EnvironmentLacks: the file is no WAV and the extra ``sound`` is not installed.
    """
    if isinstance(given, Sound):
        return given
    if isinstance(given, str | Path):
        return read_sound(Path(given))
    raise DataError(f"expected a sound or the path of a recording, got {type(given).__name__}")


def read_sound(path: Path) -> Sound:
    """Decodes a recording; several channels become their mean.

    Raises:
        DataError: missing, damaged, empty, or of an unknown format.
        EnvironmentLacks: no WAV, and the extra ``sound`` is not installed.
    """
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise DataError(f"{path}: expected a recording, got a folder, a pipe or a device")
    try:
        if path.stat().st_size > MAX_SOUND_BYTES:
            raise DataError(f"{path}: larger than {MAX_SOUND_BYTES} bytes", "cut it into pieces")
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    return decode_sound(data, str(path))


def decode_sound(data: bytes, name: str) -> Sound:
    """Decodes the bytes of a recording; see :func:`read_sound`."""
    if not data:
        raise DataError(f"{name}: no sound in it: the file is empty", "record or copy it again")
    if data[:4] == b"RIFF":
        return read_wav(data, name)
    try:
        import soundfile  # type: ignore[import-untyped]
    except (ImportError, OSError) as error:  # OSError: the package without its library
        raise EnvironmentLacks(
            f"{name}: is no WAV, and what reads other recordings is not installed: {error}",
            "pip install 'edgekit[sound]', or convert it: ffmpeg -i IN OUT.wav",
        ) from error
    pieces: list[F32] = []
    try:
        # piece by piece: how many samples there are is what the file says, not what it holds
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            while (piece := file.read(_PIECE, dtype="float64", always_2d=True)).size:
                if len(pieces) * _PIECE >= MAX_SOUND_SAMPLES:
                    raise DataError(f"{name}: more than {MAX_SOUND_SAMPLES} samples", "cut it into pieces")
                pieces.append(piece.mean(axis=1).astype(np.float32))
            rate = int(file.samplerate)
    except (RuntimeError, TypeError) as error:
        why = getattr(error, "error_string", "") or str(error).splitlines()[0]  # without the buffer's address
        raise DataError(
            f"{name}: is no recording that can be read: {why}", "convert it: ffmpeg -i IN OUT.wav"
        ) from error
    if not pieces:
        raise DataError(f"{name}: no sound in it: 0 samples", "record or copy it again")
    return Sound(np.concatenate(pieces), rate, name)
