"""What a refusal says, and the page and the picture beside it."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from msgspec import structs

from edgekit_export.budget.frontier import Limits, Point, asked, write_frontier
from edgekit_export.budget.refusal import way_out

LIMITS = Limits(1_000_000, 2.0, "cer")
POINTS = (
    Point("int8", 1_400_000, 0.5, (-0.2, 1.2), 200, 33.7, "PASS", 1_300_000),
    Point("fp16", 2_600_000, 0.0, (-0.3, 0.4), 200, 45.0, "PASS", 2_500_000),
    Point("mixed", 995_000, 4.0, (3.1, 5.2), 60, 21.0, "FAIL", 900_000, 899_000, 21.4),
    Point("mixed", 1_180_000, 0.9, (0.1, 1.6), 200, 26.0, "PASS", 1_080_000, 1_079_000, 26.1),
)


def searched(smallest, least=900_000, weights=2_000_000, ms=None):
    return SimpleNamespace(smallest_bytes=smallest, least_bytes=least, weights=weights, least_ms=ms)


def test_after_a_search():
    out = way_out(POINTS, LIMITS, searched(1_180_000))
    assert out.as_json() == {
        "smallest_bytes": 1_180_200,
        "smallest_drop": 5.2,
        "relaxation": "--max-size 1180200",
        "arithmetic": "",
        "least_latency_ms": None,
    }
    assert out.sentences(LIMITS) == [
        "The smallest bundle whose drop holds has 1,180,200 bytes (1.18 MB).",
        "Within 1,000,000 bytes the drop is at most 5.20 points of cer.",
        "Least to give up: --max-size 1180200",
    ]


def test_without_a_search_what_was_measured_is_named():
    out = way_out(POINTS[:2], LIMITS, None)
    assert (out.smallest_bytes, out.smallest_drop, out.relaxation) == (1_400_000, None, "--max-size 1400000")


def test_bits_a_weight_where_nothing_is_so_small():
    limits = Limits(500_000, 2.0, "cer")
    out = way_out(POINTS, limits, searched(1_180_000))
    assert out.arithmetic == (
        "2,000,000 weights in 500,000 bytes are 2.00 bits a weight; with 4 bits each the smallest bundle has "
        "900,000 bytes."
    )
    assert out.sentences(limits)[0] == out.arithmetic


def test_what_holds_here_is_named_where_nothing_is_sure_to_hold_again():
    out = way_out(POINTS[:3], LIMITS, searched(None))
    assert (out.smallest_bytes, out.relaxation) == (1_400_000, "--max-size 1400000")


def test_no_size_holds():
    out = way_out(POINTS[2:3], LIMITS, searched(None))
    assert out.sentences(LIMITS)[0] == "No size holds the drop on these samples."
    assert out.relaxation == "--max-drop 5.21%"


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (LIMITS, "Asked for: at most 1,000,000 bytes and a drop of at most 2 points of cer"),
        (Limits(None, 0.5, "top1"), "Asked for: a drop of at most 0.5 points of top1"),
        (Limits(None, None, ""), "Asked for: no limit"),
    ],
)
def test_limits_in_words(limits, said):
    assert asked(limits) == said


def test_page_and_picture(tmp_path):
    hostile = '<script>alert("x")</script>'
    out = tmp_path / "m.edge"
    paths = write_frontier(
        out, hostile, POINTS, LIMITS, "the size does not hold", ["Least to give up: nothing"]
    )
    assert {kind: path.name for kind, path in paths.items()} == {
        "html": "m.frontier.html",
        "png": "m.frontier.png",
    }
    page = paths["html"].read_text("utf-8")
    assert hostile not in page
    assert page.count("<circle") == len(POINTS)
    assert page.count('class="limit"') == 2
    for text in ("1,180,000", "0.10 to +1.60", "Least to give up: nothing", "The size does not hold"):
        assert text in page
    picture = cv2.imread(str(paths["png"]))
    assert picture.shape == (1000, 1600, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_nothing_was_measured(tmp_path):
    point = Point("mixed", 900_000, None, None, 0, None, "NONE", 800_000)
    paths = write_frontier(tmp_path / "m.edge", "M", [point], Limits(1000, None, ""), "too large", [])
    page = paths["html"].read_text("utf-8")
    assert "<svg" not in page
    assert "not measured" in page


TIMED = (
    Point("int8", 900_000, 3.0, (2.0, 4.0), 200, 27.0, "FAIL", 800_000, latency_ms=10.0),
    Point("fp16", 950_000, 0.0, (-0.3, 0.4), 200, 45.0, "PASS", 850_000, latency_ms=24.0, in_time=False),
)


@pytest.mark.parametrize(
    ("max_ms", "drop", "cheapest"),
    [
        (20.0, 2.0, "--max-latency 25.2ms"),
        (12.0, 3.9, "--max-drop 4.01%"),
        (12.0, 0.5, "--max-latency 25.2ms"),
    ],
)
def test_a_latency_is_one_of_the_limits(max_ms, drop, cheapest):
    limits = Limits(1_000_000, drop, "cer", max_ms)
    out = way_out(TIMED, limits, None)
    assert (out.smallest_bytes, out.smallest_drop, out.least_ms) == (None, 4.0, 25.2)
    assert out.relaxation == cheapest
    assert "At 25.2 ms something would keep the other limits." in out.sentences(limits)
    assert asked(limits).endswith(f"of cer and at most {max_ms:g} ms")


def test_what_was_written_and_is_too_slow_counts_where_no_drop_is_limited():
    limits = Limits(None, None, "cer", 4.0)
    slow = tuple(structs.replace(point, in_time=False, verdict="NONE") for point in TIMED)
    assert way_out(slow, limits, searched(None, ms=8.0)).relaxation == "--max-latency 8.4ms"
    assert way_out(slow, limits, searched(None, ms=3.0)).relaxation == "--max-latency 10.5ms"
    gated = Limits(None, 2.0, "cer", 4.0)
    assert way_out(slow, gated, searched(None, ms=8.0)).relaxation == "--max-latency 10.5ms"
