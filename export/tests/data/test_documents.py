import numpy as np
import pytest

from edgekit.processing.reading_order import reading_order
from edgekit_export.data.documents import HEIGHT, WIDTH, render_document

KINDS = {"text", "title", "figure", "figure_caption", "table", "table_caption", "header", "footer"}


def test_the_same_page_again():
    first, second = render_document(3, 1), render_document(3, 1)
    assert (first.parts, first.lines) == (second.parts, second.lines)
    assert np.array_equal(first.image, second.image)
    assert not np.array_equal(first.image, render_document(3, 2).image)


@pytest.mark.parametrize("index", range(8))
def test_parts_lie_on_the_page_apart_and_hold_all_ink(index):
    page = render_document(5, index)
    assert page.image.shape == (HEIGHT, WIDTH, 3)
    covered = np.zeros((HEIGHT, WIDTH), bool)
    for kind, (left, top, right, bottom) in page.parts:
        assert kind in KINDS
        assert 0 <= left < right <= WIDTH
        assert 0 <= top < bottom <= HEIGHT
        assert not covered[top:bottom, left:right].any()
        assert page.image[top:bottom, left:right].min() < 128
        covered[top:bottom, left:right] = True
    assert (page.image[~covered] == 255).all()
    assert "text" in {kind for kind, _ in page.parts}


@pytest.mark.parametrize("index", range(4))
def test_lines_lie_within_their_parts_in_their_order(index):
    page, part = render_document(5, index), 0
    for (left, top, right, bottom), text in page.lines:
        assert text == text.strip() != ""
        while True:  # parts are in the order of their lines, and a picture has none
            box = page.parts[part][1]
            if box[0] <= left and box[1] <= top and right <= box[2] and bottom <= box[3]:
                break
            part += 1
    assert part == len(page.parts) - 1


def test_every_kind_turns_up():
    assert {kind for index in range(12) for kind, _ in render_document(5, index).parts} == KINDS


@pytest.fixture(scope="module")
def two_columns():
    return [[box for box, _ in render_document(9, index, columns=2).lines] for index in range(20)]


@pytest.mark.parametrize(("degrees", "jitter_px"), [(0, 0), (0, 1.5), (5, 1.0), (-11, 1.0)])
def test_lines_of_two_columns_with_tables_are_put_back_into_their_order(two_columns, degrees, jitter_px):
    rng, right, way = np.random.default_rng(3), 0, np.deg2rad(degrees)
    turn = np.array([[np.cos(way), np.sin(way)], [-np.sin(way), np.cos(way)]])
    for boxes in two_columns:
        edges = np.add(boxes, (-3, -3, 3, 3))  # a detector's boxes stand off a little
        quads = edges[:, [[0, 1], [2, 1], [2, 3], [0, 3]]] @ turn
        found = rng.permutation(len(quads))
        quads += rng.normal(0, jitter_px, quads.shape)
        right += found[reading_order(quads[found].astype(np.float32))].tolist() == list(range(len(quads)))
    assert right >= 0.95 * len(two_columns)
