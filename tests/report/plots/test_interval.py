import re
from xml.etree import ElementTree

import pytest

from edgekit.report.plots.interval import interval_plot


def parts(svg, name):
    return [e for e in ElementTree.fromstring(svg) if e.get("class") == name]


def x(element, key="x1"):
    return float(element.get(key).rstrip("%"))


def test_positions_are_in_order():
    svg = interval_plot(0.8, (-0.1, 1.7), 2.0)
    low, high = (x(e) for e in parts(svg, "end"))
    zero, limit, dot = x(parts(svg, "zero")[0]), x(parts(svg, "limit")[0]), x(parts(svg, "dot")[0], "cx")
    assert low < zero < dot < high < limit < 100
    assert dot - low == pytest.approx(high - dot, abs=0.05)
    assert x(parts(svg, "beyond")[0], "x") == limit
    assert "limit 2" in svg


def test_no_limit():
    svg = interval_plot(0.8, (-0.1, 1.7), None)
    assert not parts(svg, "limit")
    assert not parts(svg, "beyond")


@pytest.mark.parametrize("interval", [(0.0, 0.0), (0.0, 1e-9), (-300.0, 900.0), (0.0, 0.003), (1.999, 2.0)])
def test_any_range_has_a_few_round_ticks(interval):
    svg = interval_plot(interval[1], interval, 2.0 if interval[1] > 1 else None)
    ticks = [float(e.text) for e in parts(svg, "tick")]
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))
    assert all(0 <= float(v) <= 100 for v in re.findall(r'x[12]?="([-0-9.]+)%"', svg))
