import cv2
import numpy as np
import pytest

from edgekit.processing.picture_size import file_size_wh


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_the_size_is_read_from_the_head(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    cv2.imwrite(str(path), np.zeros((20, 300, 3), np.uint8))
    assert file_size_wh(path) == (300, 20)


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0", b"GIF89a" * 9]
)
def test_others_have_none(tmp_path, data):
    path = tmp_path / "a"
    path.write_bytes(data)
    assert file_size_wh(path) is None
    assert file_size_wh(tmp_path) is None
    assert file_size_wh(tmp_path / "gone.png") is None
