import pytest

from edgekit.catalog.decide.assumptions import flat
from edgekit.catalog.decide.decision import decide
from edgekit.catalog.decide.defaults import default_assumptions
from edgekit.catalog.decide.file import changed
from edgekit.catalog.decide.weight import Turn, Weight, weights
from edgekit.catalog.decide.workload import Workload

A = default_assumptions("pi5", ("image",))
FEW = Workload(6_000)


def with_value(key, value):
    section, _, figure = key.partition(".")
    return changed(A, {section: {figure: value}})


def chosen(w, a):
    found = decide(w, a).recommended
    return found.name if found else "none"


def test_where_the_price_of_a_device_turns_it():
    """$3 of calls against (price + 25) / 36 + 1 + 0.389 of power: at a price of 33."""
    assert chosen(FEW, A) == "server-pipeline"
    weight = weights(FEW, A)["device.price_usd"]
    (turn,) = weight.turns
    assert not weight.used
    assert turn.to == "device-specialist"
    assert turn.at == pytest.approx(36 * (3 - 1 - A.device.watts_idle * 0.72 * 0.2) - 25, rel=0.01)


@pytest.mark.parametrize(
    "w",
    [
        FEW,
        Workload(600_000, max_latency_ms=100),
        Workload(150_000, paramount=True),
        Workload(10_000_000, inputs_at="server"),
    ],
)
def test_each_turn_is_one_and_what_has_none_does_not_turn(w):
    now = chosen(w, A)
    for key, weight in weights(w, A).items():
        value = flat(A)[key]
        for turn in weight.turns:
            assert chosen(w, with_value(key, turn.at)) == turn.to != now, key
        if isinstance(value, float) and not weight.turns and value < 0.1:
            assert chosen(w, with_value(key, 10 * value)) == now, key
            assert chosen(w, with_value(key, value / 10)) == now, key


def test_what_the_recommended_option_is_computed_from():
    used = [key for key, weight in weights(FEW, A).items() if weight.used]
    assert used == [
        *(
            f"pipeline.{figure}"
            for figure in ("stages_ms", "usd_a_call", "memory_bytes", "watts", "accuracy")
        ),
        *(f"server.{figure}" for figure in ("network_p50_ms", "network_p99_ms", "p99_factor")),
    ]


def test_a_word_is_tried_as_well():
    found = weights(Workload(600_000, max_latency_ms=100), A)["specialist.precision"]
    assert found == Weight(True, (Turn("fp16", "none"), Turn("fp32", "none")))


def test_a_share_stops_at_one():
    (turn,) = weights(Workload(150_000, paramount=True), A)["specialist.accuracy"].turns
    assert turn.to == "device-specialist"
    assert turn.at == pytest.approx(0.94, rel=0.01)  # 0.96, and 2 points less are as good


def test_names_and_what_is_computed_have_no_weight():
    found = weights(FEW, A)
    assert {found[key] for key in ("device.name", "dense.ms", "dense.takes")} == {Weight(False, ())}
    priced = weights(FEW, with_value("dense.usd_a_call", 0.0006))
    assert [turn.to for turn in priced["dense.usd_a_call"].turns] == ["server-dense"]


def test_where_nothing_holds_a_figure_may_let_something_hold():
    w = Workload(5_000, offline=True, max_latency_ms=50)
    found = weights(w, A)
    assert not any(weight.used for weight in found.values())
    assert [turn.to for turn in found["device.overhead_ms"].turns] == ["device-specialist"]
