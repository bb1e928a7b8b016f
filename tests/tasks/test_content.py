import cv2
import numpy as np
import pytest

from edgekit.errors import BundleError
from edgekit.processing.wav import write_wav
from edgekit.tasks.content import read_content
from edgekit.types import Sound


def test_a_picture():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    frame = read_content(cv2.imencode(".png", pixels)[1].tobytes(), "golden/0.png")
    assert (frame.color, frame.name) == ("bgr", "golden/0.png")
    np.testing.assert_array_equal(frame.pixels, pixels)


def test_a_text():
    assert read_content("zwölf Öfen\n".encode(), "golden/0.txt") == "zwölf Öfen\n"


def test_a_sound():
    sound = read_content(write_wav(Sound(np.float32([0.5, -1]), 8000)), "golden/0.wav")
    assert (sound.samples.tolist(), sound.rate_hz, sound.name) == ([0.5, -1.0], 8000, "golden/0.wav")


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"no png", "golden/9.png", "cannot be decoded"),
        (b"abc\xff", "golden/9.txt", "not UTF-8 at byte 3"),
        (b"RIFF", "golden/9.wav", "golden/9.wav: expected a WAV file"),
        (b"", "golden/9.gif", "expected an input that ends in .png"),
    ],
)
def test_what_is_not_what_its_name_says(data, name, message):
    with pytest.raises(BundleError, match=message):
        read_content(data, name)
