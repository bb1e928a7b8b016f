"""WAV files: RIFF as Microsoft and IBM defined it (Multimedia Programming Interface 1.0, 1991), and what came later.

Read here and not by a library: a device that hears needs no more than this.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from edgekit.errors import DataError
from edgekit.types import Array, Sound

RATES_HZ = range(1000, 768_001)
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_SHOWN = 8  # names of foreign chunks in a message
_STREAMED_BYTES = 0x7F000000  # a program that writes to a pipe cannot know the size, and says something huge
_CONVERT = "convert it: ffmpeg -i IN -c:a pcm_s16le OUT.wav"
_AGAIN = "the file is damaged: record or copy it again"


@dataclass(frozen=True, slots=True)
class _Format:
    code: int
    channels: int
    rate_hz: int
    bits: int


def read_wav(data: bytes, name: str) -> Sound:
    """Decodes a WAV file; several channels become their mean.

    Args:
        data: the whole file: PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64 bits.
        name: what to call it.

    Raises:
        DataError: damaged, cut off, empty, or of another encoding.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise DataError(f"{name}: expected a WAV file, got one that starts with {data[:4]!r}", _CONVERT)
    chunks = _chunks(data, name)
    if b"fmt " not in chunks or b"data" not in chunks:
        raise DataError(f"{name}: expected the chunks fmt and data, got {_named(chunks)}", _AGAIN)
    form = _format(data[slice(*chunks[b"fmt "])], name)
    values = _values(data[slice(*chunks[b"data"])], form, name)
    if not values.size:
        raise DataError(f"{name}: no sound in it: 0 samples", _AGAIN)
    if not np.isfinite(values).all():
        raise DataError(f"{name}: samples that are no number, or infinite", _AGAIN)
    if form.channels > 1:
        values = values.reshape(-1, form.channels).mean(axis=1, dtype=np.float64)
    if np.abs(values).max() > np.finfo(np.float32).max:
        raise DataError(f"{name}: samples that are too large for float32", _CONVERT)
    return Sound(values.astype(np.float32, copy=False), form.rate_hz, name)


def write_wav(sound: Sound) -> bytes:
    """The sound as a WAV of 16 bits, rounded half to even and clipped."""
    codes = np.clip(np.rint(sound.samples.astype(np.float64) * 32768), -32768, 32767).astype("<i2").tobytes()
    rate = sound.rate_hz
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, _PCM, 1, rate, rate * 2, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + len(codes), b"WAVE")
        + form
        + struct.pack("<4sI", b"data", len(codes))
        + codes
    )


def _chunks(data: bytes, name: str) -> dict[bytes, tuple[int, int]]:
    """Name → first byte and end of a chunk's content, of two with a name the first; of foreign chunks the first few."""
    found: dict[bytes, tuple[int, int]] = {}
    start = 12
    while start + 8 <= len(data):
        key, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        end = start + 8 + size
        if end > len(data):
            if key != b"data" or size < _STREAMED_BYTES:
                raise DataError(
                    f"{name}: cut off: {_named([key])} says {size} bytes, {len(data) - start - 8} are there",
                    _AGAIN,
                )
            end = len(data)
        if key in (b"fmt ", b"data") or len(found) < _SHOWN:
            found.setdefault(key, (start + 8, end))
        start = end + (size & 1)
    return found


def _named(keys: Iterable[bytes]) -> str:
    return ", ".join(repr(key.decode("ascii", "replace")) for key in keys) or "none"


def _format(chunk: bytes, name: str) -> _Format:
    if len(chunk) < 16:
        raise DataError(f"{name}: the chunk fmt has {len(chunk)} bytes, expected at least 16", _AGAIN)
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if code == _EXTENSIBLE and len(chunk) >= 26:  # the sub-format's first two bytes are the code
        code = int.from_bytes(chunk[24:26], "little")
    if not 1 <= channels <= 256 or rate not in RATES_HZ:
        limits = f"1 to 256 channels at {RATES_HZ.start} to {RATES_HZ.stop - 1} Hz"
        raise DataError(f"{name}: {channels} channels at {rate} Hz, expected {limits}", _CONVERT)
    if (code, bits) not in _READERS:
        raise DataError(
            f"{name}: encoding {code} with {bits} bits, expected PCM of 8, 16, 24 or 32 bits or floats of 32 or 64",
            _CONVERT,
        )
    return _Format(code, channels, rate, bits)


def _values(raw: bytes, form: _Format, name: str) -> Array:
    """``(frames * channels,)`` of -1 to 1."""
    block = form.channels * form.bits // 8
    left = len(raw) % block
    if left and len(raw) < block:
        raise DataError(f"{name}: no sound in it: {len(raw)} bytes are no frame of {block}", _AGAIN)
    return _READERS[form.code, form.bits](raw[: len(raw) - left])


def _pcm24(raw: bytes) -> Array:
    parts = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(np.int32)
    return (parts[:, 0] | parts[:, 1] << 8 | (parts[:, 2] ^ 0x80) - 0x80 << 16) / np.float32(2**23)


_READERS: dict[tuple[int, int], Callable[[bytes], Array]] = {
    (_PCM, 8): lambda raw: (np.frombuffer(raw, np.uint8).astype(np.float32) - 128) / 128,
    (_PCM, 16): lambda raw: np.frombuffer(raw, "<i2").astype(np.float32) / 32768,
    (_PCM, 24): _pcm24,
    (_PCM, 32): lambda raw: np.frombuffer(raw, "<i4") / 2**31,
    (_FLOAT, 32): lambda raw: np.frombuffer(raw, "<f4"),
    (_FLOAT, 64): lambda raw: np.frombuffer(raw, "<f8"),
}
"""Code and bits → values of -1 to 1 out of bytes."""
