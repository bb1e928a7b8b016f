import re

from edgekit.report.plots.scatter import Spot, scatter

SPOTS = [Spot("b", 2.0, 1.0, (0.5, 1.5), "worse"), Spot("a <i>", 1.0, 0.0, (-0.5, 0.5), "better")]


def drawn(limits):
    return scatter(SPOTS, limits, ("MB", "points"), "two candidates")


def test_left_is_smaller_and_low_is_better():
    svg = drawn((None, None))
    places = [(float(x), float(y)) for x, y in re.findall(r'<circle[^>]* cx="([\d.]+)%" cy="([\d.]+)"', svg)]
    (ax, ay), (bx, by) = places
    assert ax < bx
    assert ay > by
    assert 'aria-label="two candidates"' in svg
    assert "a &lt;i&gt;" in svg


def test_limits_are_lines_between_what_holds_and_what_does_not():
    svg = drawn((1.5, 0.75))
    lines = re.findall(r'<line class="limit" x1="([\d.]+)%" x2="([\d.]+)%" y1="([\d.]+)" y2="([\d.]+)"', svg)
    (x1, x2, _, _), (left, right, y1, y2) = [tuple(map(float, line)) for line in lines]
    places = [(float(x), float(y)) for x, y in re.findall(r'<circle[^>]* cx="([\d.]+)%" cy="([\d.]+)"', svg)]
    assert x1 == x2
    assert places[0][0] < x1 < places[1][0]
    assert (left, right) == (0, 100)
    assert y1 == y2
    assert places[1][1] < y1 < places[0][1]


def test_one_candidate_without_width():
    svg = scatter([Spot("a", 1.0, 0.0, (0.0, 0.0), "")], (None, None), ("MB", "points"), "one")
    assert svg.count("<circle") == 1
    assert "nan" not in svg
