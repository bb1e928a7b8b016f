import hashlib
import os

import pytest

from edgekit.data.pictures import digest_of_picture, read_whole
from edgekit.errors import DataError


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tiff"])
def test_whole(tmp_path, draw, suffix):
    path = draw(tmp_path / f"a{suffix}")
    assert read_whole(path) == path.read_bytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_truncated(tmp_path, draw, suffix, kept):
    path = draw(tmp_path / f"a{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(DataError, match="truncated: [0-9]+ bytes"):
        read_whole(path)


def test_empty_foreign_and_missing(tmp_path):
    path = tmp_path / "a.jpg"
    with pytest.raises(DataError, match="No such file"):
        read_whole(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="empty file"):
        read_whole(path)
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match="not a picture that OpenCV can read .*3c 68 74 6d"):
        read_whole(path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=r"a\.jpg: expected a file, got a folder, a pipe or a device"):
        read_whole(tmp_path / "a.jpg")


@pytest.mark.parametrize("name", ["x" * 5000 + ".jpg", "a\0b.jpg", "a\ud800.jpg"])
def test_names_that_no_file_can_have(tmp_path, name):
    with pytest.raises(DataError):
        read_whole(tmp_path / name)


def test_digest(tmp_path, draw):
    path = draw(tmp_path / "a.png")
    assert digest_of_picture(path) == hashlib.sha256(path.read_bytes()).hexdigest()
