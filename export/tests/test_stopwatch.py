import pytest

from edgekit_export.budget.latency import Latency, Times
from edgekit_export.quantize.placement import Mode
from edgekit_export.stopwatch import estimated_ms

GRAPHS = {
    "a": Latency({"x": Times(8.0, 2.0), "y": Times(4.0, 1.0)}, Times(0.0, 0.0)),
    "b": Latency({"x": Times(0.5, 0.25)}, Times(0.0, 0.0)),
}


@pytest.mark.parametrize(
    ("modes", "ms"),
    [
        ({}, 12.5),
        ({"a": {"x": Mode.INT8, "y": Mode.INT8}, "b": {"x": Mode.DYNAMIC}}, 3.25),
        ({"a": {"x": Mode.WIDE, "y": Mode.WEIGHT8}, "b": {"x": Mode.HALF}}, 12.5),
        ({"a": {"y": Mode.INT8}}, 9.5),
    ],
)
def test_layers_take_the_time_of_their_arithmetic(modes, ms):
    assert estimated_ms(GRAPHS, modes) == ms
