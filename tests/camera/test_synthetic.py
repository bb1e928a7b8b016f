from __future__ import annotations

import hashlib
import math

import pytest

from edgekit.camera.protocol import EndOfSource
from edgekit.camera.synthetic import SyntheticSource
from edgekit.types import Frame


def digests(**kwargs):
    source = SyntheticSource(size_wh=(64, 48), **kwargs)
    found = []
    while isinstance(reading := source.read(), Frame):
        found.append(hashlib.sha256(reading.pixels.tobytes()).hexdigest())
    assert reading == EndOfSource()
    return found


def test_the_same_seed_gives_the_same_pixels_and_they_move():
    first = digests(fps=10, seconds=0.5, seed=4)
    assert len(first) == 5
    assert len(set(first)) == 5
    assert first == digests(fps=10, seconds=0.5, seed=4)
    assert first != digests(fps=10, seconds=0.5, seed=5)


@pytest.mark.parametrize("size_wh", [(16, 16), (640, 480), (33, 1000)])
def test_size(size_wh):
    source = SyntheticSource(size_wh=size_wh)
    reading = source.read()
    assert isinstance(reading, Frame)
    assert reading.size_wh == size_wh
    assert reading.pixels.flags.c_contiguous
    assert reading.pixels.std() > 10  # areas and edges, not a plain colour


def test_a_frame_is_its_receivers_own():
    source = SyntheticSource(size_wh=(32, 32))
    first = source.read()
    assert isinstance(first, Frame)
    first.pixels[:] = 0
    second = source.read()
    assert isinstance(second, Frame)
    assert second.pixels.any()


def test_an_endless_one():
    source = SyntheticSource(seconds=math.inf, size_wh=(16, 16))
    source._index = 10**9
    assert isinstance(source.read(), Frame)
    source.close()


def test_at_least_one_frame():
    assert len(digests(fps=1, seconds=0.001)) == 1
