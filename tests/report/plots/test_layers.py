from xml.etree import ElementTree

import pytest

from edgekit.report.plots.layers import layers_plot, lowest


def bars(svg):
    return list(ElementTree.fromstring(svg).iter("rect"))


def test_one_bar_a_layer_that_was_measured():
    svg = layers_plot(["a", "b<", "c"], [40.0, None, 10.0], "alone")
    first, last = bars(svg)
    assert float(first.get("height")) == pytest.approx(4 * float(last.get("height")), abs=0.05)
    assert (first.get("class"), last.get("class")) == ("bar", "bar worst")
    assert (first.get("x"), last.get("x")) == ("0.1", "2.1")
    assert ElementTree.fromstring(svg).get("aria-label") == "alone: 2 of 3 layers, lowest c with 10.0 dB"
    assert last.find("title").text == "c: 10.0 dB"


def test_below_zero_hangs_down():
    up, down = bars(layers_plot(["a", "b"], [30.0, -10.0], "alone"))
    assert float(up.get("y")) + float(up.get("height")) == pytest.approx(float(down.get("y")), abs=0.05)
    assert float(up.get("height")) == pytest.approx(3 * float(down.get("height")), abs=0.05)


def test_nothing_known():
    assert bars(layers_plot(["a"], [None], "alone")) == []
    assert lowest([None]) is None
    assert lowest([3.0, None, 2.0, 2.0]) == 2
