from __future__ import annotations

import random

import pytest

from edgekit.camera.multipart import MAX_HEAD_BYTES, Multipart

PICTURE = b"\xff\xd8picture\xff\xd9"
OTHER = b"\xff\xd8another one\xff\xd9"


def part(body, length=None, boundary=b"--cut", line=b"\r\n"):
    head = boundary + line + b"Content-Type: image/jpeg" + line
    if length is not None:
        head += b"Content-Length: %d" % length + line
    return head + line + body + line


def split(data, boundary=b"cut", size=None, **kwargs):
    """Fed in pieces of ``size`` bytes."""
    parts, found = Multipart(boundary, **kwargs), []
    for at in range(0, len(data), size or len(data)):
        found += parts.feed(data[at : at + (size or len(data))])
    return found


@pytest.mark.parametrize("size", [None, 1, 2, 3, 7, 50])
@pytest.mark.parametrize("with_length", [True, False])
@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    ("named", "sent"), [(b"cut", b"--cut"), (b"--cut", b"--cut"), (b"--cut", b"----cut")]
)
def test_however_it_is_sent(size, with_length, line, named, sent):
    data = b"".join(
        part(body, len(body) if with_length else None, sent, line) for body in (PICTURE, OTHER, PICTURE)
    )
    assert split(data, named, size) == [PICTURE, OTHER, PICTURE]


def test_a_picture_need_not_wait_for_the_next_boundary():
    assert Multipart(b"cut").feed(part(PICTURE)) == [PICTURE]
    assert Multipart(b"cut").feed(part(PICTURE, len(PICTURE))[:-2]) == [PICTURE]


def test_a_thumbnail_inside_is_no_end():
    body = b"\xff\xd8 thumbnail \xff\xd9 and more" + PICTURE
    assert split(part(body) + part(OTHER)) == [body, OTHER]


def test_a_length_that_is_too_long_swallows_nothing():
    assert split(part(PICTURE, len(PICTURE) + 30) + part(OTHER, len(OTHER))) == [PICTURE, OTHER]


def test_a_length_that_is_too_short_costs_its_own_picture_only():
    assert split(part(PICTURE, 4) + part(OTHER, len(OTHER))) == [PICTURE[:4], OTHER]


def test_what_stands_before_the_first_boundary_is_passed_over():
    assert split(b"HELLO" * 1000 + part(PICTURE)) == [PICTURE]


def test_a_length_beyond_the_limit_is_skipped():
    data = part(PICTURE, 10**12) + part(OTHER, len(OTHER))
    assert split(data) == [None, OTHER]


@pytest.mark.parametrize("length", [None, 900])
def test_a_part_without_an_end_is_dropped_and_memory_is_bounded(length):
    parts = Multipart(b"cut", max_part_bytes=1000)
    found = parts.feed(part(b"x", length)[:-3])
    for _ in range(1000):
        found += parts.feed(b"y" * 100)
        assert len(parts._buffer) <= 1100
    assert (None in found) == (length is None)
    assert parts.feed(b"\r\n" + part(OTHER)) == [OTHER]


def test_a_head_without_an_end_is_skipped():
    parts = Multipart(b"cut")
    found = parts.feed(b"--cut\r\n" + b"X" * (MAX_HEAD_BYTES + 10))
    assert found == [None]
    assert parts.feed(b"\r\n\r\n" + part(OTHER)) == [OTHER]


def test_an_empty_part_is_a_part():
    assert split(part(b"", 0) + part(OTHER, len(OTHER))) == [b"", OTHER]


def test_fuzz_anything_may_come():
    """Streams cut, repeated, overwritten at random: nothing is raised, memory is bounded, and it finds back."""
    rng = random.Random(4)
    for _ in range(400):
        data = bytearray(b"".join(part(PICTURE, rng.choice([None, 13, 5, 10**7])) for _ in range(6)))
        for _ in range(rng.randrange(12)):
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(9)] = rng.randbytes(rng.randrange(9))
        parts = Multipart(b"cut", max_part_bytes=200)
        at = 0
        while at < len(data):
            step = rng.randrange(1, 60)
            parts.feed(bytes(data[at : at + step]))
            at += step
            assert len(parts._buffer) <= MAX_HEAD_BYTES + 200
        parts.feed(bytes(9000))
        found = parts.feed(b"\r\n" + part(OTHER, len(OTHER)) + part(OTHER, len(OTHER)))
        assert found[-1] == OTHER
