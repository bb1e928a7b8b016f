from collections import Counter

import cv2
import numpy as np
import pytest

from edgekit.data.clip import open_clip
from edgekit.data.dataset import open_data
from edgekit.errors import DataError


def test_frames_evenly_over_the_clip(tmp_path, film):
    clip = open_clip(film(tmp_path / "a.avi", 20), "a.avi", 4, 1, 0)
    assert clip.picks == (2, 7, 12, 17)
    samples = list(clip.samples())
    assert [s.id for s in samples] == ["a.avi@2", "a.avi@7", "a.avi@12", "a.avi@17"]
    assert [float(s.frame.pixels.mean()) for s in samples] == pytest.approx([8, 28, 48, 68], abs=2)
    assert {s.cluster for s in samples} == {clip.sha256}
    assert clip.recipe == "frames=4"


def test_no_more_frames_than_there_are(tmp_path, film):
    clip = open_clip(film(tmp_path / "a.avi", 5), "a.avi", 100, 2, 1)
    assert clip.picks == (0, 1, 2, 3, 4)
    assert clip.count == 10
    assert [s.id for s in clip.samples()][:3] == ["a.avi@0#0", "a.avi@0#1", "a.avi@1#0"]
    assert clip.recipe == "frames=5&crops=2&seed=1"


def test_in_a_folder_beside_pictures(tmp_path, film, draw):
    film(tmp_path / "a.avi", 12)
    draw(tmp_path / "b.png")
    data = open_data([f"{tmp_path}?frames=3"], "classify")
    assert len(data) == 4
    assert len(list(data)) == 4
    assert len({s.cluster for s in data}) == 2
    assert len(open_data([f"{tmp_path / 'a.avi'}?frames=3"], "classify")) == 3


@pytest.mark.parametrize("content", [b"", b"not a video at all", b"\0" * 5000])
def test_not_a_video(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.mp4: (not a video|no frame)"):
        open_data([str(path)], "classify")


def test_missing(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        open_clip(tmp_path / "a.mp4", "a.mp4", 3, 1, 0)


def test_shorter_than_when_it_was_opened(tmp_path, film):
    path = film(tmp_path / "a.avi", 20)
    clip = open_clip(path, "a.avi", 20, 1, 0)
    film(path, 5)
    with pytest.raises(DataError, match="ends after 5 frames, expected 6"):
        [sample.load() for sample in clip.samples()]


def test_loaded_in_any_order(tmp_path, film):
    clip = open_clip(film(tmp_path / "a.avi", 20), "a.avi", 5, 2, 0)
    in_order = [s.frame.pixels for s in clip.samples()]
    for order in ([9, 0, 5, 5, 4, 1], [3], [0, 8, 9, 0]):
        samples = list(clip.samples())
        assert all(np.array_equal(samples[i].frame.pixels, in_order[i]) for i in order)


def test_rising_order_costs_one_pass_and_one_decoding_a_frame(tmp_path, film, monkeypatch):
    calls = Counter()

    class Counting:
        def __init__(self, *args, real=cv2.VideoCapture):
            calls["open"] += 1
            self._capture = real(*args)

        def __getattr__(self, name):
            calls[name] += 1
            return getattr(self._capture, name)

    clip = open_clip(film(tmp_path / "a.avi", 20), "a.avi", 4, 3, 0)
    monkeypatch.setattr(cv2, "VideoCapture", Counting)
    samples = list(clip.samples())
    assert calls == {}
    for sample in samples:
        sample.load()
    once = {"open": 1, "isOpened": 1, "grab": 18, "retrieve": 4, "release": 1}
    assert calls == once
    samples[-1].load()
    assert calls == once
    calls.clear()
    for sample in list(clip.samples())[3:6]:
        sample.load()
    assert calls == {"open": 1, "isOpened": 1, "grab": 8, "retrieve": 1}
    calls.clear()
    samples[3].load()
    samples[0].load()
    assert calls == {"open": 2, "isOpened": 2, "grab": 8 + 3, "retrieve": 2, "release": 1}


def test_error_at_load_names_the_file(tmp_path, film):
    path = film(tmp_path / "a.avi", 5)
    samples = list(open_clip(path, "a.avi", 5, 1, 0).samples())
    samples[0].load()
    path.unlink()
    assert samples[1].frame.index == 1  # still open
    with pytest.raises(DataError, match=r"a\.avi: not a video"):
        samples[0].load()
