from __future__ import annotations

import errno
from pathlib import Path

import cv2
import pytest

from edgekit.errors import OutputError
from edgekit.sinks.folder import FolderSink


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_pictures_appear_under_the_final_name_after_commit(tmp_path, outcome):
    sink = FolderSink(tmp_path / "out")
    sink.write(outcome(0))
    sink.write(outcome(12))
    assert names(tmp_path) == ["out.partial"]
    sink.commit()
    sink.abort()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["frame_000000.jpg", "frame_000012.jpg"]
    assert cv2.imread(str(tmp_path / "out" / "frame_000012.jpg")).shape == (48, 64, 3)


def test_a_frame_that_is_too_large_for_a_jpeg(tmp_path, outcome):
    sink = FolderSink(tmp_path / "out")
    sink.write(outcome(0, size_wh=(65500, 1)))
    with pytest.raises(OutputError, match="out: 65501×1 pixels, expected sides of at most 65500"):
        sink.write(outcome(1, size_wh=(65501, 1)))
    assert names(tmp_path / "out.partial") == ["frame_000000.jpg"]


def test_an_empty_folder_may_be_filled(tmp_path, outcome):
    (tmp_path / "out").mkdir()
    sink = FolderSink(tmp_path / "out")
    sink.write(outcome())
    sink.commit()
    assert names(tmp_path / "out") == ["frame_000000.jpg"]


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(OutputError, match="not an empty folder"):
        FolderSink(tmp_path / "out")
    with pytest.raises(OutputError, match="not an empty folder"):
        FolderSink(tmp_path / "out" / "mine")
    with pytest.raises(OutputError, match="no such folder"):
        FolderSink(tmp_path / "none" / "out")


def test_what_a_killed_run_left_is_replaced(tmp_path, outcome):
    killed = FolderSink(tmp_path / "out")
    killed.write(outcome(7))
    killed._lock.close()
    sink = FolderSink(tmp_path / "out")
    sink.write(outcome(8))
    sink.commit()
    assert names(tmp_path / "out") == ["frame_000008.jpg"]


def test_a_partial_folder_with_other_files_is_not_ours(tmp_path):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "mine.txt").touch()
    with pytest.raises(OutputError, match="files that are not ours"):
        FolderSink(tmp_path / "out")
    assert (tmp_path / "out.partial" / "mine.txt").exists()


def test_another_run_that_writes_it_is_left_alone(tmp_path, outcome):
    first = FolderSink(tmp_path / "out")
    first.write(outcome(7))
    with pytest.raises(OutputError, match="out: another run is writing it"):
        FolderSink(tmp_path / "out")
    first.commit()
    assert names(tmp_path / "out") == ["frame_000007.jpg"]


def test_abort_leaves_nothing(tmp_path, outcome):
    sink = FolderSink(tmp_path / "out")
    sink.write(outcome())
    sink.abort()
    assert names(tmp_path) == []


def no_space(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("method", "step"), [("write_bytes", "write"), ("replace", "commit")])
def test_a_full_disk(tmp_path, outcome, monkeypatch, method, step):
    sink = FolderSink(tmp_path / "out")
    monkeypatch.setattr(Path, method, no_space)
    with pytest.raises(OutputError, match="out: No space left on device"):
        sink.write(outcome()) if step == "write" else sink.commit()


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", no_space)
    with pytest.raises(OutputError, match="No space left"):
        FolderSink(tmp_path / "out")
