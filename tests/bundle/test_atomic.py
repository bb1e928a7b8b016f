from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from edgekit.bundle import atomic
from edgekit.bundle.atomic import is_special, replacing
from edgekit.errors import OutputError


def test_the_target_appears_at_the_end(tmp_path):
    target = tmp_path / "a"
    with replacing(target) as file:
        file.write(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_the_target_as_it_was(tmp_path):
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(target) as file:
        file.write(b"new")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("call", ["fsync", "write"])
def test_no_space_left(tmp_path, monkeypatch, call):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "a"
    if call == "fsync":
        monkeypatch.setattr(atomic.os, "fsync", full)
    with (
        pytest.raises(OutputError, match=r"a: No space left on device \(check free space"),
        replacing(target) as file,
    ):
        file.write(b"new")
        if call == "write":
            full()
    assert list(tmp_path.iterdir()) == []


def test_the_mode_follows_the_umask(tmp_path):
    previous = os.umask(0o027)
    try:
        with replacing(tmp_path / "a") as file:
            file.write(b"")
    finally:
        os.umask(previous)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_folder_in_the_way(tmp_path):
    with pytest.raises(OutputError, match="expected a file to write, got a folder"), replacing(tmp_path):
        pass


def test_no_such_folder(tmp_path):
    with pytest.raises(OutputError, match="no folder"), replacing(tmp_path / "no" / "a"):
        pass


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def denied(*args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(atomic, "_create", denied)
    with pytest.raises(OutputError, match="Permission denied"), replacing(tmp_path / "a"):
        pass


def test_a_long_name_still_has_a_temporary_one(tmp_path):
    target = tmp_path / ("n" * 255)
    with replacing(target) as file:
        file.write(b"x")
    assert target.read_bytes() == b"x"


def test_without_locks_it_works_all_the_same(tmp_path, monkeypatch):
    def unsupported(*args):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(atomic.fcntl, "flock", unsupported)
    abandoned = tmp_path / ".edgekit-ca978112ca1b-000000000000.tmp"  # SHA-256 of "a"
    abandoned.write_bytes(b"")
    with replacing(tmp_path / "a") as file:
        file.write(b"x")
    assert abandoned.exists()  # it may belong to somebody alive


def test_a_temporary_file_removed_before_it_was_locked(tmp_path, monkeypatch):
    real, removed = atomic.fcntl.flock, []

    def meddling(handle, operation):
        if not removed:
            removed.extend(tmp_path.iterdir())
            removed[0].unlink()
        real(handle, operation)

    monkeypatch.setattr(atomic.fcntl, "flock", meddling)
    with replacing(tmp_path / "a") as file:
        file.write(b"x")
    assert len(removed) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_pipe_or_a_link_to_one_is_not_replaced(tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for target in (pipe, link):
        with pytest.raises(OutputError, match="got a device or a pipe"), replacing(target):
            pass
    assert stat.S_ISFIFO(pipe.lstat().st_mode) and link.is_symlink()


def test_what_is_special():
    """Asked only, never written to: as root a test that failed would put a file there."""
    assert is_special(Path("/dev/null"))
    assert is_special(Path("/dev/stdout"))
    assert is_special(Path("/proc/self/fd/0"))
    assert not is_special(Path(__file__))


def test_a_link_to_a_file_is_replaced_and_the_file_is_not(tmp_path):
    file, link, nothing = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    file.write_bytes(b"old")
    link.symlink_to(file)
    nothing.symlink_to(tmp_path / "gone")
    for target in (link, nothing):
        with replacing(target) as made:
            made.write(b"new")
        assert target.read_bytes() == b"new"
    assert file.read_bytes() == b"old"
