from xml.etree import ElementTree

import pytest

from edgekit.report.plots.flips import flips_plot


@pytest.mark.parametrize(("lost", "won", "widths"), [(20, 10, [46, 23]), (0, 4, [0, 46]), (0, 0, [0, 0])])
def test_bars_from_the_middle(lost, won, widths):
    left, right = ElementTree.fromstring(flips_plot(lost, won)).iter("rect")
    assert [float(e.get("width").rstrip("%")) for e in (left, right)] == widths
    assert float(left.get("x").rstrip("%")) + widths[0] == 50 == float(right.get("x").rstrip("%"))
