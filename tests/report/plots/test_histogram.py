import math
import re
from xml.etree import ElementTree

import pytest

from edgekit.errors import DataError
from edgekit.evaluation.origin import AgreementMatrix, Histogram
from edgekit.report.plots.histogram import histogram_plot


def test_heights_are_logarithms_of_counts():
    svg = histogram_plot(Histogram("act<1>", (-1.0, 0.0, 3.0), (99, 0), (9, 0)))
    one, two = ElementTree.fromstring(svg).iter("path")
    levels = [[float(y) for y in re.findall(r"V([0-9.]+)", path.get("d"))] for path in (one, two)]
    assert levels[0] == [0.0, 130.0, 130.0]
    assert levels[1][0] == pytest.approx(130 * (1 - math.log(10) / math.log(100)), abs=0.1)
    assert [float(x) for x in re.findall(r"H([0-9.]+)", one.get("d"))] == [250.0, 1000.0]
    assert "99 values of the reference and 9 of the candidate between -1 and 3" in svg


def test_empty_counts():
    assert "V130" in histogram_plot(Histogram("a", (0.0, 1.0), (0,), (0,)))


@pytest.mark.parametrize(
    ("edges", "reference", "candidate", "message"),
    [
        ((0.0,), (), (), r"got 1, 0 and 0"),
        ((0.0, 1.0), (1, 2), (1,), r"got 2, 2 and 1"),
        ((0.0, 0.0), (1,), (1,), "rising edges"),
        ((0.0, math.nan), (1,), (1,), "rising edges"),
    ],
)
def test_bins_that_do_not_fit_are_refused(edges, reference, candidate, message):
    with pytest.raises(DataError, match=message):
        Histogram("a", edges, reference, candidate)


def test_a_matrix_is_square():
    with pytest.raises(DataError, match=r"expected 2 rows of 2 values, got \[2, 1\]"):
        AgreementMatrix(("a", "b"), ((100.0, 1.0), (1.0,)), 5)
