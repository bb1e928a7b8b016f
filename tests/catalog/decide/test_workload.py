import math

import pytest

from edgekit.catalog.decide.workload import Workload, check_modalities
from edgekit.errors import UsageError


@pytest.mark.parametrize("calls", [0, -1, -0.5, math.nan, math.inf, 2e15])
def test_a_volume_is_above_0_and_finite(calls):
    with pytest.raises(UsageError, match="volume"):
        Workload(calls)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("max_latency_ms", 0, "latency"),
        ("max_latency_ms", -3, "latency"),
        ("max_usd_a_month", 0, "budget"),
        ("max_bytes", 0, "size"),
        ("devices", 0, "devices"),
        ("error_usd", -1, "cost of an error"),
        ("error_usd", math.nan, "cost of an error"),
    ],
)
def test_what_is_not_above_0_is_refused(field, value, said):
    with pytest.raises(UsageError, match=said):
        Workload(1, **{field: value})


@pytest.mark.parametrize("condition", ["offline", "private"])
def test_inputs_on_a_server_are_neither_offline_nor_private(condition):
    with pytest.raises(UsageError, match="contradicts itself"):
        Workload(1, inputs_at="server", **{condition: True})


@pytest.mark.parametrize("modalities", [(), ("smell",), ("image", "image"), ("",)])
def test_modalities_are_known_ones_each_once(modalities):
    with pytest.raises(UsageError, match="modalities"):
        check_modalities(modalities)


def test_a_workload_takes_what_holds():
    asked = Workload(1e15, ("sound", "image"), 0.1, devices=3, error_usd=0)
    assert asked.modalities == ("sound", "image")
