from __future__ import annotations

import errno
import fcntl
import os

import pytest

from edgekit.errors import OutputError
from edgekit.sinks.partial import PartialFile


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_has_its_name_only_after_commit(tmp_path):
    target = tmp_path / "out.mp4"
    target.write_bytes(b"old")
    partial = PartialFile(target)
    assert partial.path == tmp_path / "out.partial.mp4"
    partial.path.write_bytes(b"new")
    assert target.read_bytes() == b"old"
    partial.commit()
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["out.mp4"]
    partial.abort()
    assert target.read_bytes() == b"new"


def test_abort_removes_it(tmp_path):
    partial = PartialFile(tmp_path / "out")
    partial.path.write_bytes(b"new")
    partial.abort()
    partial.abort()
    assert names(tmp_path) == []


def test_what_is_in_the_way(tmp_path):
    with pytest.raises(OutputError, match="no such folder"):
        PartialFile(tmp_path / "none" / "out.mp4")
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(OutputError, match="a folder of this name is in the way"):
        PartialFile(tmp_path / "out.mp4")


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="cannot be written to"):
        PartialFile(tmp_path / "out.mp4")


def test_a_commit_of_nothing(tmp_path):
    partial = PartialFile(tmp_path / "out.mp4")
    partial.path.unlink()
    with pytest.raises(OutputError, match=r"out\.mp4: No such file"):
        partial.commit()


@pytest.mark.parametrize("end", [PartialFile.commit, PartialFile.abort])
def test_two_runs_do_not_write_into_each_other(tmp_path, end):
    first = PartialFile(tmp_path / "out.mp4")
    with pytest.raises(OutputError, match=r"out\.mp4: another run is writing it"):
        PartialFile(tmp_path / "out.mp4")
    assert names(tmp_path) == ["out.partial.mp4"]
    end(first)
    PartialFile(tmp_path / "out.mp4").abort()


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def none(*_args):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    PartialFile(tmp_path / "out.mp4").commit()
    assert names(tmp_path) == ["out.mp4"]
