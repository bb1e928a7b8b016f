import numpy as np
import pytest

from edgekit.processing.reading_order import levelled, reading_order, skew


def box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.asarray([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def test_reading_order_by_rows_then_from_left_to_right():
    quads = np.stack(
        [
            box(200, 12, 80, 20),  # first row, right, a little lower
            box(10, 60, 80, 20),  # second row
            box(10, 10, 80, 20),  # first row, left
            box(100, 8, 60, 24),  # first row, middle
            box(150, 52, 60, 20),  # second row, right, a little higher
        ]
    )
    assert reading_order(quads) == [2, 3, 0, 1, 4]


def test_large_and_small_lines_do_not_share_a_row_by_the_larger_ones_height():
    quads = np.stack([box(0, 0, 300, 100), box(310, 60, 50, 20), box(310, 40, 50, 20)])
    assert reading_order(quads) == [0, 2, 1]


@pytest.mark.parametrize("n", [0, 1])
def test_reading_order_of_few(n):
    assert reading_order(np.zeros((n, 4, 2), np.float32)) == list(range(n))


def test_ties_keep_their_order():
    quads = np.stack([box(5, 5, 10, 10)] * 3)
    assert reading_order(quads) == [0, 1, 2]


def turned(quads: np.ndarray, degrees: float) -> np.ndarray:
    way = np.deg2rad(degrees)
    turn = np.array([[np.cos(way), np.sin(way)], [-np.sin(way), np.cos(way)]])
    return ((quads - 400) @ turn + 400).astype(np.float32)


def column(x, y, rows, width=300.0, step=20):
    return [box(x, y + row * step, width, 14) for row in range(rows)]


@pytest.mark.parametrize("degrees", [-30, -8, 0, 3, 12])
def test_rows_of_a_skewed_page(degrees):
    """Over 700 pixels 3° are 37: more than a row."""
    quads = np.stack([box(x, y, 200, 14) for y in range(50, 700, 30) for x in (20, 260, 500)])
    made = turned(quads, degrees)
    assert skew(made) == pytest.approx(np.deg2rad(degrees), abs=1e-3)
    assert levelled(made)[:, 3] - levelled(made)[:, 1] == pytest.approx(14, abs=0.01)
    shuffled = np.random.default_rng(1).permutation(len(made))
    short = turned(np.stack([box(x, y, 80, 14) for y in range(50, 700, 30) for x in (20, 260, 500)]), degrees)
    assert shuffled[reading_order(short[shuffled])].tolist() == list(range(len(short)))


def test_columns_one_after_the_other_between_what_lies_across():
    parts = [
        [box(60, 10, 560, 30)],  # a title
        column(20, 60, 5),
        column(350, 63, 4),
        [box(100, 200, 500, 14)],  # a caption under both
        column(20, 240, 3),
        column(350, 240, 5),
        [box(330, 360, 10, 14)],  # a page number, in the middle of the gutter
    ]
    quads = np.stack([line for part in parts for line in part])
    shuffled = np.random.default_rng(2).permutation(len(quads))
    assert shuffled[reading_order(quads[shuffled])].tolist() == list(range(len(quads)))


def test_three_columns():
    quads = np.stack([*column(0, 50, 9, 210), *column(230, 50, 12, 210), *column(460, 58, 11, 210)])
    assert reading_order(quads) == list(range(len(quads)))


def test_rows_of_a_receipt_are_no_columns():
    names = [box(20, 40 + 22 * i, 90, 14) for i in range(8)]
    prices = [box(300, 41 + 22 * i, 40, 14) for i in range(8)]
    quads = np.stack([*names, *prices])
    assert reading_order(quads) == [i + j for i in range(8) for j in (0, 8)]


@pytest.mark.parametrize(("rows", "columns"), [(2, False), (3, True)])
def test_two_lines_beside_two_are_rows(rows, columns):
    quads = np.stack([*column(0, 0, rows), *column(350, 0, rows)])
    by_rows = [i + j for i in range(rows) for j in (0, rows)]
    assert reading_order(quads) == (list(range(2 * rows)) if columns else by_rows)
