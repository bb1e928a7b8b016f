import os
from pathlib import Path

import pytest

from edgekit.camera.opencv import open_stream, open_video
from edgekit.data.clip import open_clip
from edgekit.data.pictures import read_whole
from edgekit.errors import DataError, OutputError
from edgekit.processing.opencv_path import opencv_path
from edgekit.sinks.video import VideoSink

LATIN = os.fsdecode(b"caf\xe9")  # as a Latin-1 system wrote it: OpenCV 5 dies of it with SIGSEGV


@pytest.mark.parametrize("name", ["a b.jpg", "größe-日本語.mp4", ""])
def test_utf8_passes(name):
    assert opencv_path(name) == name
    assert opencv_path(Path("d") / name) == str(Path("d") / name)


@pytest.mark.parametrize(
    "reader",
    [read_whole, open_video, lambda path: open_clip(path, "x", 1, 1, 0)],
    ids=["photo", "video", "clip"],
)
def test_readers_refuse_what_opencv_would_die_of(tmp_path, reader):
    path = tmp_path / f"{LATIN}.mp4"
    path.write_bytes(b"anything")
    with pytest.raises(DataError, match="the name is not UTF-8"):
        reader(path)


def test_streams_and_sinks_do_too(tmp_path):
    with pytest.raises(DataError, match="the name is not UTF-8"):
        open_stream(f"rtsp://127.0.0.1:1/{LATIN}")
    with pytest.raises(OutputError, match=r"the name is not UTF-8.*\(rename it\)"):
        VideoSink(tmp_path / f"{LATIN}.mp4", 10.0)
    assert not list(tmp_path.iterdir())
