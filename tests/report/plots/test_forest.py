from xml.etree import ElementTree

import pytest

from edgekit.report.plots.forest import Mark, forest, tone


def at(row, name, key="x1"):
    return [float(e.get(key).rstrip("%")) for e in ElementTree.fromstring(row) if e.get("class") == name]


def test_rows_share_an_axis():
    drawn = forest([Mark(2.0, (1.0, 3.0)), Mark(-2.0, (-3.0, -1.0)), Mark(None, (-1.0, 1.0))], max_drop=4.0)
    one, two, three = drawn.rows
    assert at(one, "zero") == at(two, "zero") == at(three, "zero")
    assert at(one, "limit") == at(two, "limit")
    assert at(two, "end") < at(one, "zero") * 2 < at(one, "end")
    assert at(two, "dot", "cx")[0] < at(two, "zero")[0] < at(one, "dot", "cx")[0] < at(one, "limit")[0]
    assert at(three, "dot", "cx") == []
    assert 'aria-label="drop 2.00, interval 1.00 to 3.00"' in one
    assert "percentage points" in drawn.axis


@pytest.mark.parametrize(
    ("interval", "word"),
    [((0.1, 2.0), "worse"), ((-2.0, -0.1), "better"), ((0.0, 2.0), "open"), ((-2.0, 0.0), "open")],
)
def test_tone(interval, word):
    assert tone(interval) == word
    assert f'class="plot {word}"' in forest([Mark(0.0, interval, word)]).rows[0]


def test_no_width():
    drawn = forest([Mark(0.0, (0.0, 0.0))])
    assert at(drawn.rows[0], "dot", "cx") == [50.0]
