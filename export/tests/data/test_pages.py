from itertools import pairwise

import cv2
import numpy as np
import pytest

from edgekit.errors import OutputError
from edgekit_export.data import boards, clip, pages, scene


def test_a_page_depends_on_seed_and_index_alone():
    few, many = pages.pages(2, seed=5), pages.pages(9, seed=5)
    assert len(many) == 9
    for a, b in zip(few, many[:2], strict=True):
        assert np.array_equal(a.image, b.image)
        assert np.array_equal(a.quads, b.quads)
        assert a.texts == b.texts
    assert few[-1].texts == many[1].texts
    assert many[0].texts != pages.render_page(6, 0).texts
    with pytest.raises(IndexError, match="page 2 of 2"):
        few[2]


def test_pages_say_where_their_lines_are():
    kinds = set()
    for page in pages.pages(12, seed=3):
        height, width = page.image.shape[:2]
        n = len(page.texts)
        kinds.add(n > 9)
        assert page.image.dtype == np.uint8
        assert page.quads.shape == (n, 4, 2)
        assert n >= 1
        assert page.quads.min() > -2
        assert (page.quads < (width + 2, height + 2)).all()
        for quad in page.quads:
            assert cv2.contourArea(quad) > 60
            assert cv2.isContourConvex(quad)
            assert quad[1, 0] > quad[0, 0]  # the text runs to the right
            assert quad[3, 1] > quad[0, 1]
    assert kinds == {True, False}


def test_ink_lies_within_the_quads():
    board = boards.sign(np.random.default_rng(1), ["HELLO", "12.50 EUR"])
    assert board.texts == ("HELLO", "12.50 EUR")
    for quad in board.quads:
        (left, top), (right, bottom) = quad[0].astype(int) + 1, quad[2].astype(int)
        inside = board.image[top:bottom, left:right].astype(int)
        around = board.image[top - 4 : bottom + 4, left - 4 : right + 4].astype(int)
        assert inside.std() > 20
        assert np.abs(around[0] - around[0].mean(axis=0)).max() < 60  # no ink on the line above it


def test_receipt_rows_are_names_and_prices():
    board = boards.receipt(np.random.default_rng(1), [("Shop", ""), ("tea", "2.50"), ("long name", "12.00")])
    assert board.texts == ("Shop", "tea", "2.50", "long name", "12.00")
    assert board.quads[2, 0, 0] > board.quads[1, 1, 0]
    assert abs(board.quads[2, 2, 1] - board.quads[4, 2, 1]) > 20


def test_a_board_is_placed_where_it_is_told():
    board = boards.Board(
        np.full((20, 60, 3), 250, np.uint8),
        np.asarray([[[6, 4], [54, 4], [54, 16], [6, 16]]], np.float32),
        ("x",),
    )
    canvas = np.zeros((100, 200, 3), np.uint8)
    corners = scene.tilted((100, 50), (120, 40), 0.0, np.zeros((4, 2), np.float32))
    quads = scene.place(canvas, board, corners)
    assert quads[0] == pytest.approx(np.asarray([[52, 38], [148, 38], [148, 62], [52, 62]]), abs=1e-3)
    assert (canvas[32:68, 42:158] == 250).all()
    assert (canvas[:29] == 0).all()
    assert (canvas[:, :39] == 0).all()


def test_a_board_drawn_small_is_averaged():
    stripes = np.zeros((40, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    board = boards.Board(stripes, np.zeros((1, 4, 2), np.float32), ("|",))
    canvas = np.zeros((20, 60, 3), np.uint8)
    scene.place(canvas, board, scene.tilted((30, 10), (40, 4), 0.0, np.zeros((4, 2), np.float32)))
    assert canvas[10, 20:40].std() < 25  # grey, where point sampling gives stripes


@pytest.mark.parametrize("center", [(-500, -500), (0, 0), (60, 20), (900, 10)])
def test_a_board_may_lie_outside(center):
    board = boards.sign(np.random.default_rng(2), ["OUT"])
    canvas = np.zeros((20, 60, 3), np.uint8)
    quads = scene.place(canvas, board, scene.tilted(center, (40, 20), 10.0, np.zeros((4, 2), np.float32)))
    assert quads.shape == (1, 4, 2)
    assert (canvas.max() > 0) == (center in {(0, 0), (60, 20)})


def test_tilted_turns_about_the_middle():
    corners = scene.tilted((10, 20), (8, 4), 90.0, np.zeros((4, 2), np.float32))
    assert corners == pytest.approx(np.asarray([[12, 16], [12, 24], [8, 24], [8, 16]]), abs=1e-5)


SIZE = (320, 240)


def test_clip_is_a_film_of_its_length(tmp_path):
    path = tmp_path / "signs.mp4"
    said = clip.render_clip(path, seconds=1.0, fps=10, size_wh=SIZE, seed=3)
    assert [p.name for p in tmp_path.iterdir()] == ["signs.mp4"]
    assert said == clip.texts(SIZE, 3)
    assert len(said) >= 3
    film = cv2.VideoCapture(str(path))
    read = []
    while (got := film.read())[0]:
        read.append(got[1])
    film.release()
    assert len(read) == 10
    assert read[0].shape == (240, 320, 3)
    first = next(clip.frames(1, 10, SIZE, 3))
    assert np.abs(read[0][..., ::-1].astype(int) - first).mean() < 8


def test_frames_move_and_repeat():
    one, again = (list(clip.frames(8, 2, SIZE, 1)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert all(np.abs(a.astype(int) - b).mean() > 1 for a, b in pairwise(one))
    other = next(clip.frames(1, 2, SIZE, 2))
    assert not np.array_equal(other, one[0])


def test_clip_without_a_folder(tmp_path):
    with pytest.raises(OutputError, match="no such folder"):
        clip.render_clip(tmp_path / "none" / "a.mp4", 0.1, 10, SIZE, 1)


def test_clip_in_a_format_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="no video can be written"):
        clip.render_clip(tmp_path / "a.unknown", 0.1, 10, SIZE, 1)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_clip_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(clip, "frames", lambda *_: (1 / 0 for _ in range(1)))
    with pytest.raises(ZeroDivisionError):
        clip.render_clip(tmp_path / "a.mp4", 0.1, 10, SIZE, 1)
    assert list(tmp_path.iterdir()) == []


class DeafWriter:
    """Opens, takes every frame, and writes none, as on a full disk."""

    fourcc = staticmethod(cv2.VideoWriter.fourcc)

    def __init__(self, *_):
        pass

    def isOpened(self):  # OpenCV's own name
        return True

    def write(self, _):
        pass

    release = isOpened


def test_an_empty_clip_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "VideoWriter", DeafWriter)
    with pytest.raises(OutputError, match="came out empty"):
        clip.render_clip(tmp_path / "a.mp4", 0.1, 10, SIZE, 1)
    assert list(tmp_path.iterdir()) == []
