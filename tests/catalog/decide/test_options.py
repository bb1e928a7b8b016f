import pytest
from msgspec.structs import replace

from edgekit.catalog.decide.defaults import default_assumptions
from edgekit.catalog.decide.options import options
from edgekit.catalog.decide.workload import Workload

PI5 = default_assumptions("pi5", ["image"])
MONTH = Workload(600_000)
HOURS = 720


def option(name, workload=MONTH, a=PI5):
    return {one.name: one for one in options(workload, a)}[name]


def with_(section, **figures):
    return replace(PI5, **{section: replace(getattr(PI5, section), **figures)})


def test_there_are_six():
    assert [one.name for one in options(MONTH, PI5)] == [
        *("device-specialist", "device-vlm", "cascade", "server-pipeline", "server-dense", "server-moe")
    ]


def test_a_device_costs_its_purchase_its_upkeep_and_its_power():
    found = option("device-specialist")
    busy_hours = 600_000 * found.latency.busy_ms / 3.6e6
    wh = 2.7 * HOURS + (8.0 - 2.7) * busy_hours
    assert found.energy.at(600_000) == pytest.approx(wh)
    assert found.cost.at(600_000) == pytest.approx((80 + 25) / 36 + 1 + 0.20 * wh / 1000)
    assert found.memory_bytes == 3_151_904 + 150e6


def test_a_device_takes_as_many_calls_as_it_may_be_busy():
    found = option("device-vlm")
    most = 0.7 * HOURS * 3.6e6 / found.latency.busy_ms
    assert found.cost.calls_a_unit == pytest.approx(most)
    assert found.cost.units(most) == 1
    assert found.cost.units(most + 1) == 2
    assert option("device-vlm", Workload(1, devices=40)).cost.units(1) == 40


def test_a_server_costs_by_the_call():
    assert option("server-pipeline").cost.at(10e6) == pytest.approx(5_000)
    assert option("server-pipeline").cost.at(0) == 0
    wh = 50 * 0.35 / 3600
    assert option("server-pipeline").energy.at(1000) == pytest.approx(1000 * wh)


def test_a_generalist_costs_the_hours_of_its_gpus():
    dense = option("server-dense")
    seconds = dense.latency.busy_ms / 1000 / 4
    assert dense.cost.at(1) == pytest.approx(seconds * 4.0 / 3600 / 0.5)
    assert dense.energy.at(1) == pytest.approx(seconds * (1000 + 250) / 3600)
    moe = option("server-moe")
    assert moe.cost.at(1) == pytest.approx(2 * moe.latency.busy_ms / 1000 / 4 * 4.0 / 3600 / 0.5)
    assert moe.memory_bytes == 235e9 + 1.4e9
    assert "235 billion parameters in int8 on 2 GPUs, 22 billion active" in moe.what


def test_a_cascade_holds_both_models():
    here = option("cascade")
    assert here.model_bytes == 3_151_904 + 256_484_928
    assert not here.networked


def test_a_cascade_that_asks_a_server_pays_for_what_triggers():
    a = with_("cascade", answers_on="server", trigger_share=0.02)
    asks, alone = option("cascade", a=a), option("device-specialist")
    assert asks.networked
    assert asks.model_bytes == 3_151_904
    assert asks.cost.at(600_000) == pytest.approx(
        alone.cost.at(600_000) + 0.02 * option("server-dense").cost.at(600_000)
    )
    assert asks.energy.at(600_000) == pytest.approx(
        alone.energy.at(600_000) + 0.02 * option("server-dense").energy.at(600_000)
    )


def test_wrong_results_cost():
    found = option("server-pipeline")
    assert found.with_errors(2.0).at(1000) == pytest.approx(0.5 + 1000 * 0.05 * 2.0)
    assert found.with_errors(0.0) == found.cost


@pytest.mark.parametrize("volume", [1, 1000, 1e6, 1e9])
def test_every_option_costs_something(volume):
    assert all(one.cost.at(volume) > 0 and one.energy.at(volume) > 0 for one in options(MONTH, PI5))
