from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import OutputError
from edgekit.growing_file import GrowingFile


class NearlyFull:
    """A disk that takes 100 bytes at a time, and has room for so many."""

    def __init__(self, room):
        self.room, self.written = room, b""

    def write(self, data):
        took = data[: min(self.room - len(self.written), 100)]
        if not took:
            raise OSError(28, "No space left on device")
        self.written += took
        return len(took)

    def close(self):
        pass


def on(disk, target):
    file = GrowingFile(target)
    file._file.close()
    file._file = disk
    return file


def test_what_was_there_stays_until_it_is_emptied(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old\n")
    file = GrowingFile(path)
    file.write(b"one\n")
    assert path.read_bytes() == b"old\none\n"
    file.empty()
    file.write(b"two\n")
    file.close()
    assert path.read_bytes() == b"two\n"


def test_a_disk_that_takes_it_in_parts(tmp_path):
    disk = NearlyFull(10**6)
    file = on(disk, tmp_path / "x")
    file.write(b"a" * 250)
    file.close()
    assert disk.written == b"a" * 250


def test_a_full_disk_is_told_at_the_end(tmp_path):
    disk = NearlyFull(150)
    file = on(disk, tmp_path / "x")
    file.write(b"a" * 250)
    assert file.failed
    disk.room = 10**6
    file.write(b"b")
    assert disk.written == b"a" * 150
    with pytest.raises(OutputError, match="x: not whole: No space left on device"):
        file.close()


def test_a_device_is_not_emptied():
    file = GrowingFile(Path("/dev/null"))
    file.empty()
    file.write(b"x")
    file.close()


def test_places_that_cannot_be_written(tmp_path):
    for target in (tmp_path, tmp_path / "none" / "x"):
        with pytest.raises(OutputError, match="Is a directory|No such file"):
            GrowingFile(target)
