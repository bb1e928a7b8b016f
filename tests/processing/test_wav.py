from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest

from edgekit.errors import DataError, EnvironmentLacks
from edgekit.processing import sounds
from edgekit.processing.sounds import MAX_SOUND_BYTES, decode_sound, is_sound, read_sound, to_sound
from edgekit.processing.wav import read_wav, write_wav
from edgekit.types import Sound


def chunk(key, data):
    return struct.pack("<4sI", key, len(data)) + data + b"\0" * (len(data) & 1)


def wav(data=b"\0\0" * 4, *, code=1, channels=1, rate=16_000, bits=16, before=b"", extra=b""):
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits) + extra
    body = b"WAVE" + before + chunk(b"fmt ", form) + chunk(b"data", data)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_encoding_reads_as_libsndfile_reads_it(subtype, channels):
    soundfile = pytest.importorskip("soundfile", reason="soundfile is the oracle")
    values = np.random.default_rng(0).uniform(-1, 1, (1001, channels))
    file = io.BytesIO()
    soundfile.write(file, values, 44_100, format="WAV", subtype=subtype)
    file.seek(0)
    expected = soundfile.read(file, dtype="float64", always_2d=True)[0].mean(axis=1)
    made = read_wav(file.getvalue(), "x.wav")
    assert made.rate_hz == 44_100
    assert made.name == "x.wav"
    np.testing.assert_allclose(made.samples, expected, atol=1e-7)


@pytest.mark.parametrize(
    ("bits", "raw", "value"),
    [
        (8, b"\x00\x80\xff", [-1, 0, 127 / 128]),
        (16, b"\x00\x80\x00\x00\xff\x7f", [-1, 0, 32767 / 32768]),
        (24, b"\x00\x00\x80\xff\xff\xff\xff\xff\x7f", [-1, -(2**-23), 1 - 2**-23]),
        (32, b"\x00\x00\x00\x80\x00\x00\x00\x40", [-1, 0.5]),
    ],
)
def test_ends_of_the_scale(bits, raw, value):
    np.testing.assert_array_equal(read_wav(wav(raw, bits=bits), "x").samples, np.float32(value))


def test_extensible_streamed_and_other_chunks():
    extensible = wav(b"\0\x40", code=0xFFFE, extra=struct.pack("<HHIHH", 22, 16, 4, 1, 0) + b"\0" * 12)
    assert read_wav(extensible, "x").samples.tolist() == [0.5]
    streamed = bytearray(wav(b"\0\x40\0\x20"))
    streamed[40:44] = struct.pack("<I", 0x7FFFF000)  # as espeak-ng writes to a pipe
    assert read_wav(bytes(streamed), "x").samples.tolist() == [0.5, 0.25]
    assert read_wav(wav(b"\0\x40", before=chunk(b"LIST", b"odd")), "x").samples.tolist() == [0.5]


@pytest.mark.parametrize(
    ("data", "message", "remedy"),
    [
        (b"", "the file is empty", "again"),
        (b"RIFF", "expected a WAV file", "convert"),
        (wav()[:30], "cut off: 'fmt ' says 16 bytes, 10 are there", "again"),
        (wav()[:-3], "cut off: 'data' says 8 bytes, 5 are there", "again"),
        (wav(b""), "0 samples", "again"),
        (wav(b"\0"), "no sound in it: 1 bytes are no frame of 2", "again"),
        (wav(channels=0), "0 channels at 16000 Hz", "convert"),
        (wav(rate=0), "1 channels at 0 Hz, expected 1 to 256 channels at 1000 to 768000 Hz", "convert"),
        (wav(code=2, bits=4), "encoding 2 with 4 bits", "convert"),
        (wav(struct.pack("<2f", 0, np.nan), code=3, bits=32), "no number", "again"),
        (wav(struct.pack("<2d", 0, 1e39), code=3, bits=64), "too large for float32", "convert"),
        (struct.pack("<4sI4s", b"RIFF", 4, b"WAVE"), "expected the chunks fmt and data, got none", "again"),
    ],
)
def test_what_is_damaged_says_how_and_what_to_do(data, message, remedy):
    with pytest.raises(DataError, match=message.replace("(", r"\(")) as caught:
        decode_sound(data, "x.wav")
    assert caught.value.message.startswith("x.wav: ")
    assert {"again": "record or copy it again", "convert": "ffmpeg -i IN"}[remedy] in caught.value.remedy


def test_a_size_that_is_a_lie_allocates_nothing():
    whole = bytearray(wav(b"\0\x40"))
    for size in (0xFFFFFFFF, 0x7F000000):
        whole[40:44] = struct.pack("<I", size)
        tracemalloc.start()
        assert read_wav(bytes(whole), "x").samples.tolist() == [0.5]
        assert tracemalloc.get_traced_memory()[1] < 2**16
        tracemalloc.stop()
    whole[40:44] = struct.pack("<I", 0x7EFFFFFF)
    with pytest.raises(DataError, match="cut off"):
        read_wav(bytes(whole), "x")


def test_a_hundred_thousand_chunks_make_a_short_message():
    names = b"".join(chunk(i.to_bytes(4, "little"), b"") for i in range(100_000))
    assert read_wav(wav(b"\0\x40", before=names), "x").samples.tolist() == [0.5]
    with pytest.raises(DataError, match="expected the chunks fmt and data") as caught:
        read_wav(b"RIFF\0\0\0\0WAVE" + names, "x")
    assert len(caught.value.message) < 200
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("seed", range(4))
def test_bytes_put_wrong_give_an_error_or_a_finite_sound(seed):
    rng = np.random.default_rng(seed)
    whole = np.frombuffer(wav(bytes(range(64)), before=chunk(b"LIST", b"abc")), np.uint8)
    for _ in range(500):
        bent = whole.copy()
        bent[rng.integers(0, len(bent), 3)] = rng.choice([0, 1, 3, 0x7F, 0x80, 0xFF], 3)
        try:
            made = read_wav(bent.tobytes(), "x")
        except DataError as error:
            assert error.message.startswith("x: ")
            continue
        assert made.samples.size
        assert np.isfinite(made.samples).all()


def test_every_cut_is_an_error_or_a_sound():
    whole = wav(bytes(range(64)), channels=2, before=chunk(b"LIST", b"abc"))
    for size in range(len(whole)):
        with pytest.raises(DataError):
            decode_sound(whole[:size], "x")


def test_write_and_read():
    given = Sound(np.float32([-1, -0.5, 0, 0.25, 1]), 8000, "a")
    again = read_wav(write_wav(given), "b")
    assert again.rate_hz == 8000
    np.testing.assert_allclose(again.samples, given.samples, atol=1 / 32768)


def test_other_formats_need_the_extra(monkeypatch, tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="soundfile writes the FLAC")
    path = tmp_path / "a.flac"
    soundfile.write(path, np.full((100, 2), [0.5, 0.25]), 22_050)
    made = read_sound(path)
    assert (made.rate_hz, made.samples.shape) == (22_050, (100,))
    np.testing.assert_allclose(made.samples, 0.375)
    with pytest.raises(
        DataError, match=r"^x\.mp3: is no recording that can be read: Format not recognised\. \(conv"
    ):
        decode_sound(b"no sound at all", "x.mp3")
    overstated = bytearray(path.read_bytes())
    overstated[21:26] = bytes([overstated[21] | 0x0F, *b"\xff" * 4])  # STREAMINFO: 2^36 - 1 samples
    tracemalloc.start()
    with pytest.raises(DataError, match="no recording that can be read"):
        decode_sound(bytes(overstated), "x.flac")
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()
    monkeypatch.setattr(sounds, "MAX_SOUND_SAMPLES", 0)
    with pytest.raises(DataError, match="more than 0 samples"):
        read_sound(path)
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    with pytest.raises(EnvironmentLacks, match=r"edgekit\[sound\]"):
        read_sound(path)


def test_paths(tmp_path, monkeypatch):
    path = tmp_path / "a.WAV"
    path.write_bytes(wav())
    assert is_sound(path)
    assert not is_sound(tmp_path / ".b.wav")
    assert to_sound(path).rate_hz == to_sound(str(path)).rate_hz == 16_000
    for wrong in (tmp_path, tmp_path / "none.wav", 3):
        with pytest.raises(DataError):
            to_sound(wrong)
    assert MAX_SOUND_BYTES == 2**30
    monkeypatch.setattr(sounds, "MAX_SOUND_BYTES", 10)
    with pytest.raises(DataError, match="larger than 10 bytes"):
        read_sound(path)
