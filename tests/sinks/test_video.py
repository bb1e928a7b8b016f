from __future__ import annotations

import resource
import shutil
from collections import namedtuple

import cv2
import numpy as np
import pytest

from edgekit.errors import OutputError
from edgekit.sinks.video import MAX_REPEATS, VideoSink, fit


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def clip(path):
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return fps, frames


@pytest.mark.parametrize("fps", [12.5, 29.97, 30.0, 0.5, 239.76])
def test_a_clip_has_its_name_only_after_commit(tmp_path, outcome, fps):
    sink = VideoSink(tmp_path / "out.mp4", fps)
    for index in range(6):
        sink.write(outcome(index))
    assert names(tmp_path) == ["out.partial.mp4"]
    sink.commit()
    assert names(tmp_path) == ["out.mp4"]
    read_fps, frames = clip(tmp_path / "out.mp4")
    assert read_fps == pytest.approx(fps, rel=1e-3)
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 6


def test_gaps_are_filled_so_that_the_clip_plays_in_real_time(tmp_path, outcome):
    sink = VideoSink(tmp_path / "out.mp4", 10.0)
    for index in (3, 4, 8):  # it starts with its first frame, and 5 to 7 were dropped
        sink.write(outcome(index))
    sink.commit()
    _, frames = clip(tmp_path / "out.mp4")
    assert len(frames) == 6


def test_a_gap_is_filled_up_to_a_limit(tmp_path, outcome):
    sink = VideoSink(tmp_path / "out.mp4", 10.0)
    sink.write(outcome(0))
    sink.write(outcome(10**6))
    sink.commit()
    assert len(clip(tmp_path / "out.mp4")[1]) == MAX_REPEATS + 2


def test_other_sizes_are_fitted_into_the_first(tmp_path, outcome):
    sink = VideoSink(tmp_path / "out.mp4", 10.0)
    for index, size_wh in enumerate([(65, 49), (64, 48), (20, 200), (300, 20)]):
        sink.write(outcome(index, size_wh))
    sink.commit()
    assert [frame.shape for frame in clip(tmp_path / "out.mp4")[1]] == [(48, 64, 3)] * 4


def test_without_a_frame_there_is_no_clip(tmp_path):
    sink = VideoSink(tmp_path / "out.mp4", 10.0)
    sink.commit()
    assert names(tmp_path) == []


def test_abort_leaves_nothing(tmp_path, outcome):
    sink = VideoSink(tmp_path / "out.mp4", 10.0)
    sink.write(outcome())
    sink.abort()
    sink.abort()
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_is_noticed(tmp_path, outcome):
    sink = VideoSink(tmp_path / "out.mp4", 10.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))  # writes beyond fail, as on a full disk
    try:
        for index in range(60):
            sink.write(outcome(index))
        with pytest.raises(OutputError, match="60 frames were written and 0 are there"):
            sink.commit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == []


def test_a_disk_that_is_full_is_noticed_while_running(tmp_path, outcome, monkeypatch):
    sink = VideoSink(tmp_path / "out.mp4", 10.0)
    sink.write(outcome(0))
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    with pytest.raises(OutputError, match="no space left"):
        for index in range(1, 65):
            sink.write(outcome(index))
    sink.abort()
    assert names(tmp_path) == []


def test_a_writer_that_cannot_open(tmp_path, outcome):
    sink = VideoSink(tmp_path / "out.mp4", 10.0)
    (tmp_path / "out.partial.mp4").unlink()
    (tmp_path / "out.partial.mp4").mkdir()
    with pytest.raises(OutputError, match="cannot write mp4v at 64x48"):
        sink.write(outcome())


def test_fit_keeps_the_aspect_ratio_on_black():
    picture = np.full((100, 100, 3), 255, np.uint8)
    fitted = fit(picture, (40, 20))
    assert fitted.shape == (20, 40, 3)
    assert (fitted[:, 10:30] == 255).all()
    assert (fitted[:, :10] == 0).all()
    assert (fitted[:, 30:] == 0).all()


def test_fit_cuts_only_an_odd_row_and_column():
    picture = np.arange(49 * 65 * 3, dtype=np.uint32).reshape(49, 65, 3).astype(np.uint8)
    np.testing.assert_array_equal(fit(picture, (64, 48)), picture[:48, :64])
