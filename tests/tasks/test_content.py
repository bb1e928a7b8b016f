import cv2
import numpy as np
import pytest

from edgekit.errors import BundleError
from edgekit.tasks.content import read_content


def test_a_picture():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    frame = read_content(cv2.imencode(".png", pixels)[1].tobytes(), "golden/0.png")
    assert (frame.color, frame.name) == ("bgr", "golden/0.png")
    np.testing.assert_array_equal(frame.pixels, pixels)


def test_a_text():
    assert read_content("zwölf Öfen\n".encode(), "golden/0.txt") == "zwölf Öfen\n"


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"no png", "golden/9.png", "cannot be decoded"),
        (b"abc\xff", "golden/9.txt", "not UTF-8 at byte 3"),
        (b"", "golden/9.gif", "expected an input that ends in .png"),
    ],
)
def test_what_is_not_what_its_name_says(data, name, message):
    with pytest.raises(BundleError, match=message):
        read_content(data, name)
