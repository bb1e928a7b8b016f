import re
from xml.etree import ElementTree

import pytest

from edgekit.report.plots.costs import STYLE, Curve, Mark, costs_plot
from edgekit.report.plots.svg import standalone

DEVICE = Curve("device", lambda calls: 4.0 + 1e-6 * calls, out=False)
SERVER = Curve("server <b>", lambda calls: 0.0004 * calls, out=True)
MARK = Mark(10_000.0, 4.0, "from here the device")


def drawn(marks=(MARK,), volume=1e6):
    return costs_plot([DEVICE, SERVER], list(marks), volume)


def points(svg, tone):
    told = re.search(rf'<polyline class="tone{tone}[^"]*" points="([^"]+)"', svg)[1]
    return [tuple(map(float, pair.split(","))) for pair in told.split()]


def test_the_curves_cross_at_the_mark():
    svg = drawn()
    device, server = points(svg, 0), points(svg, 1)
    below = [d[1] < s[1] for d, s in zip(device, server, strict=True)]  # smaller y is dearer
    assert below[0]
    assert not below[-1]
    crossing = device[below.index(False)][0] / 1000
    (cx,) = re.findall(r'<circle class="dot" cx="([\d.]+)%"', svg)
    assert (float(cx) - 4) / 92 == pytest.approx(crossing, abs=0.01)


def test_what_is_ruled_out_is_dashed_and_said():
    svg = drawn()
    assert 'class="tone1 out"' in svg
    assert "server &lt;b&gt; (ruled out)" in svg
    assert 'class="tone0"' in svg
    assert "asked: 1 M" in svg


def test_marks_that_would_cover_each_other_share_a_volume():
    svg = drawn([MARK, Mark(10_100.0, 4.1, "near"), Mark(900_000.0, 360.0, "far")])
    assert svg.count("<circle") == 3
    assert re.findall(r'class="note"[^>]*>([^<]+)<', svg) == ["asked: 1 M", "10 k", "900 k"]


def test_without_marks_and_with_a_cost_of_0():
    free = Curve("free", lambda calls: 0.0 if calls < 1e6 else 5.0, out=False)
    svg = costs_plot([free], [], 1e6)
    assert "<circle" not in svg
    assert "nan" not in svg
    assert len(points(svg, 0)) < 241


def test_a_file_of_its_own_is_xml():
    root = ElementTree.fromstring(standalone(drawn(), 960, STYLE))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("width") == "960"
    assert root[0].tag.endswith("style")
