from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgekit.camera.folder import FolderSource
from edgekit.camera.protocol import Corrupt, EndOfSource
from edgekit.errors import DataError
from edgekit.processing.picture_files import pictures_of
from edgekit.types import Frame


def save(folder, name, level=0):
    cv2.imwrite(str(folder / name), np.full((4, 6, 3), level, np.uint8))


def test_pictures_come_in_the_order_of_their_numbers(tmp_path):
    for name in ("10.png", "2.png", "b.PNG", "a1.jpg"):
        save(tmp_path, name)
    (tmp_path / "._2.png").write_bytes(b"hidden")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    assert [p.name for p in pictures_of(tmp_path)] == ["2.png", "10.png", "a1.jpg", "b.PNG"]


def test_a_folder_is_read_to_its_end(tmp_path):
    save(tmp_path, "1.png", 10)
    save(tmp_path, "2.png", 20)
    source = FolderSource(tmp_path)
    first, second, end = source.read(), source.read(), source.read()
    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert (first.name, first.color, int(first.pixels[0, 0, 0])) == ("1.png", "bgr", 10)
    assert (second.name, int(second.pixels[0, 0, 0])) == ("2.png", 20)
    assert end == EndOfSource()
    assert source.fps == 10.0
    assert source.notes == []
    source.close()


def test_one_picture_is_a_folder_of_one(tmp_path):
    save(tmp_path, "1.png")
    source = FolderSource(tmp_path / "1.png")
    assert isinstance(source.read(), Frame)
    assert source.read() == EndOfSource()


TRUNCATED = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()[:60]


@pytest.mark.parametrize("data", [b"", b"not a picture", TRUNCATED])
def test_a_broken_picture_is_corrupt_and_named(tmp_path, data):
    (tmp_path / "1.png").write_bytes(data)
    save(tmp_path, "2.png")
    source = FolderSource(tmp_path)
    assert isinstance(source.read(), Corrupt)
    assert isinstance(source.read(), Frame)
    assert source.read() == EndOfSource()
    assert len(source.notes) == 1
    assert source.notes[0].startswith(f"{tmp_path}/1.png: ")


def test_only_a_few_broken_pictures_are_named(tmp_path):
    for i in range(20):
        (tmp_path / f"{i}.png").write_bytes(b"broken")
    source = FolderSource(tmp_path)
    for _ in range(20):
        assert isinstance(source.read(), Corrupt)
    assert len(source.notes) == 5
    with pytest.raises(DataError, match="none of 20 pictures"):
        source.read()


def test_a_picture_that_vanishes_is_corrupt(tmp_path):
    save(tmp_path, "1.png")
    source = FolderSource(tmp_path)
    (tmp_path / "1.png").unlink()
    assert isinstance(source.read(), Corrupt)


def test_missing_and_empty(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        FolderSource(tmp_path / "none")
    with pytest.raises(DataError, match="no picture in this folder"):
        FolderSource(tmp_path)
