import numpy as np
import pytest

from edgekit.types import Frame
from edgekit_export.calibration import Feeds, gather
from edgekit_export.quantize.thinned import Thinned


class TwoGraphs:
    """Calls ``detect`` once and ``recognize`` as often as the picture is high."""

    def __call__(self, frame, trace):
        trace.infer("detect", self, {"image": frame.pixels})
        for row in frame.pixels:
            trace.infer("recognize", self, {"image": row})

    def run(self, feeds):
        return [feeds["image"]]


def test_feeds_are_those_of_the_task_and_can_be_read_again(tmp_path):
    frames = [Frame(np.full((height, 2, 3), height, np.uint8)) for height in (1, 3)]
    advanced = []
    feeds = gather(
        TwoGraphs(),
        zip("ab", frames, strict=True),
        ["detect", "recognize"],
        tmp_path,
        lambda: advanced.append(1),
    )
    assert {role: len(given) for role, given in feeds.items()} == {"detect": 2, "recognize": 4}
    assert len(advanced) == 2
    for _ in range(2):
        assert [int(feed["image"][0, 0]) for feed in feeds["recognize"]] == [1, 3, 3, 3]


def test_no_feed(tmp_path):
    assert list(Feeds(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("sources", "held"),
    [
        ("", []),
        ("a", []),
        ("ab", [1]),
        ("aabb", [2, 3]),
        ("aaaa", [3]),
        ("a" * 12, [4, 9]),
        ("abcdeabcde", [4, 9]),
        ("aabbccddeeffgghhiijj", [8, 9, 18, 19]),
    ],
)
def test_every_fifth_source_is_held_apart(tmp_path, sources, held):
    feeds = Feeds(tmp_path)
    for number, source in enumerate(sources):
        feeds.append({"x": np.int64(number)}, source)
    assert feeds.held(range(len(feeds))) == held
    assert [int(feeds[number]["x"]) for number in held] == held


@pytest.mark.parametrize("taken", [5, 10, 20])
def test_sources_are_held_apart_of_those_that_are_taken(tmp_path, taken):
    """Of 25 photos every fifth, and of 2,500 those that are not thinned out, were never one that was held apart."""
    feeds = Feeds(tmp_path)
    for number in range(25):
        feeds.append({"x": np.int64(number)}, str(number))
    numbers = Thinned(feeds, taken).numbers
    held = feeds.held(numbers)
    assert len(held) == taken // 5
    assert {*held} < {*numbers}
