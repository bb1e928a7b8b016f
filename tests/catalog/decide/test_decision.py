"""The cases of reference, and what decides between options."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edgekit.catalog.decide.assumptions import flat
from edgekit.catalog.decide.decision import decide
from edgekit.catalog.decide.defaults import default_assumptions
from edgekit.catalog.decide.file import changed
from edgekit.catalog.decide.reasons import reasons, usd
from edgekit.catalog.decide.workload import Workload
from edgekit.errors import DataError

PI5 = default_assumptions("pi5", ["image"])
SERVERS = {"server-pipeline", "server-dense", "server-moe"}
DEVICES = {"device-specialist", "device-vlm", "cascade"}


def with_(section, a=PI5, **figures):
    return replace(a, **{section: replace(getattr(a, section), **figures)})


def holding(decision):
    return {name for name, against in decision.excluded.items() if not against}


def constraints(decision, name):
    return [one.constraint for one in decision.excluded[name]]


def option(decision, name):
    return {one.name: one for one in decision.options}[name]


def test_10_million_invoices_a_month():
    a = with_("dense", ms=1500.0, usd_a_call=0.003)
    w = Workload(10e6, inputs_at="server")
    found = decide(w, a)
    assert found.recommended.name == "server-pipeline"
    assert found.recommended.latency.p50_ms == 350
    assert found.recommended.cost.at(10e6) == pytest.approx(5_000)
    beside = {one.other: one for one in found.compared}["server-dense"]
    assert beside.faster == pytest.approx(1500 / 350)  # about 4 times
    assert beside.cheaper == pytest.approx(6)
    assert beside.saved_usd_a_month == pytest.approx(25_000)
    assert "beside server-dense: 4.3 times as fast, 6 times cheaper, $25,000 a month saved" in reasons(
        found, w
    )


@pytest.mark.parametrize(("usd_a_call", "a_day"), [(0.02, 20_000), (0.05, 50_000)])
def test_1_million_requests_a_day(usd_a_call, a_day):
    found = decide(Workload(30e6), with_("dense", usd_a_call=usd_a_call))
    assert option(found, "server-dense").cost.at(30e6) / 30 == pytest.approx(a_day)


@pytest.mark.parametrize(
    ("asked", "constraint"),
    [
        ({"offline": True}, "offline"),
        ({"private": True}, "private"),
        ({"max_latency_ms": 100}, "latency"),
        ({"max_latency_ms": 99.9, "offline": True}, "offline"),
    ],
)
def test_on_the_device_by_necessity(asked, constraint):
    w = Workload(600_000, **asked)
    found = decide(w, PI5)
    assert (found.mandatory, found.ruling) == ("device", constraint)
    assert found.recommended.name == "device-specialist"
    assert not holding(found) & SERVERS
    assert reasons(found, w)[0].startswith(
        f"on-device is mandatory: {constraint} rules out every option on a server"
    )


def test_under_100_ms_the_network_alone_is_too_slow():
    fast = with_("pipeline", stages_ms=(1.0,))
    found = decide(Workload(600_000, max_latency_ms=100), fast)
    assert found.mandatory == "device"
    why = {one.why for one in found.excluded["server-pipeline"]}
    assert why == {"the network alone takes 150 ms (p99) of the 100 allowed"}


def test_a_server_where_accuracy_is_paramount():
    w = Workload(600_000, paramount=True)
    found = decide(w, PI5)
    assert (found.mandatory, found.ruling) == ("server", "accuracy")
    assert holding(found) == SERVERS
    assert found.recommended.name == "server-pipeline"
    assert "a server is mandatory" in reasons(found, w)[0]


@pytest.mark.parametrize(("limit", "bits"), [(20_000_000, "0.62"), (50_000_000, "1.56")])
def test_smolvlm_256m_in_20_to_50_mb_is_refused_with_the_arithmetic(limit, bits):
    found = decide(Workload(600_000, max_bytes=limit, open_ended=True, offline=True), PI5)
    assert found.recommended is None
    (why,) = (one.why for one in found.excluded["device-vlm"])
    assert f"leave {bits} bits a weight" in why
    assert "take 4.5" in why
    assert "144.3 MB" in why
    assert constraints(found, "cascade") == ["size"]


def test_what_fits_only_narrower_is_told_so():
    found = decide(Workload(600_000, max_bytes=200_000_000), PI5)
    (why,) = (one.why for one in found.excluded["device-vlm"])
    assert why.endswith("200 MB allowed; int4 would take 144.3 MB")
    int4 = with_("vlm", precision="int4")
    assert "device-vlm" in holding(decide(Workload(600_000, max_bytes=200_000_000), int4))
    assert "device-vlm" in holding(decide(Workload(600_000, max_bytes=144_272_772), int4))
    assert "device-vlm" not in holding(decide(Workload(600_000, max_bytes=144_272_771), int4))


def test_open_ended_questions_need_a_generalist():
    w = Workload(600_000, open_ended=True)
    found = decide(w, PI5)
    assert constraints(found, "device-specialist") == constraints(found, "server-pipeline") == ["open-ended"]
    assert (found.ruling, found.mandatory) == ("open-ended", None)
    assert reasons(found, w)[0].startswith("without open-ended it would be device-specialist")


def test_sound_is_heard_by_specialists():
    found = decide(Workload(600_000, ("sound",)), default_assumptions("pi5", ["sound"]))
    assert holding(found) == {"device-specialist", "server-pipeline"}
    assert constraints(found, "device-vlm") == ["modality"]
    hears = with_("dense", takes=("image", "sound"))
    assert "server-dense" in holding(decide(Workload(600_000, ("sound",)), hears))


def test_without_constraints_cost_rules():
    found = decide(Workload(600_000), PI5)
    assert (found.ruling, found.mandatory) == ("cost", None)
    assert found.recommended is found.otherwise
    assert holding(found) == SERVERS | DEVICES


def test_few_calls_are_cheaper_on_a_server():
    found = decide(Workload(1000), PI5)
    assert found.recommended.name == "server-pipeline"
    crossing = {(one.below, one.above): one for one in found.break_even}[
        "server-pipeline", "device-specialist"
    ]
    assert crossing.calls_a_month == pytest.approx(8_611, abs=1)
    below, above = (decide(Workload(crossing.calls_a_month * f), PI5).recommended.name for f in (0.99, 1.01))
    assert (below, above) == ("server-pipeline", "device-specialist")


def test_a_budget():
    found = decide(Workload(600_000, max_usd_a_month=299.99, paramount=True), PI5)
    assert constraints(found, "server-pipeline") == ["budget"]
    assert found.recommended is None
    assert found.ruling == "accuracy and budget"
    assert (
        decide(Workload(600_000, max_usd_a_month=300, paramount=True), PI5).recommended.name
        == "server-pipeline"
    )


def test_wrong_results_that_cost_more_than_calls_decide():
    w = Workload(150_000, error_usd=0.5)
    found = decide(w, PI5)
    assert found.recommended.name == "server-moe"
    assert "wrong results included" in reasons(found, w)[0]


def test_what_a_wrong_result_must_cost_for_a_better_model():
    w = Workload(150_000)
    found = decide(w, PI5)
    beside = {one.other: one for one in found.compared}
    assert beside["device-vlm"].error_usd is None
    pays_from = beside["server-pipeline"].error_usd
    assert pays_from == pytest.approx((75 - found.recommended.cost.at(150_000)) / (0.02 * 150_000))
    assert any(line.endswith(f"costs more than {usd(pays_from)}") for line in reasons(found, w))
    chosen = [decide(Workload(150_000, error_usd=f * pays_from), PI5).recommended.name for f in (0.99, 1.01)]
    assert chosen == ["device-specialist", "server-pipeline"]


def test_what_does_not_fit_the_device():
    tiny = default_assumptions("microcontroller", ["image"])
    found = decide(Workload(1000), tiny)
    assert constraints(found, "device-specialist") == ["memory"]
    small = with_("specialist", tiny, parameters=220_000, operations=7.49e6)
    assert "device-specialist" in holding(decide(Workload(1000), small))


def test_nothing_holds_and_what_would():
    w = Workload(600_000, offline=True, paramount=True)
    found = decide(w, PI5)
    assert (found.recommended, found.mandatory, found.ruling) == (None, None, "offline and accuracy")
    told = reasons(found, w)
    assert told[0] == "nothing holds: every option is ruled out"
    assert "without accuracy, device-specialist would hold" in told
    assert "without offline, server-dense would hold" in told


def test_an_estimate_near_the_limit_is_told_to_be_measured():
    near, far = Workload(1e6, max_latency_ms=100), Workload(1e6, max_latency_ms=119)
    assert any("measure it" in line for line in reasons(decide(near, PI5), near))
    assert not any("measure it" in line for line in reasons(decide(far, PI5), far))


def test_many_devices_are_told():
    w = Workload(30e6, open_ended=True, offline=True)
    a = with_("cascade", accuracy=0.9, trigger_share=1.0)
    assert any("devices share the load" in line for line in reasons(decide(w, a), w))


@pytest.mark.parametrize(
    ("amount", "text"),
    [(25_000, "$25,000"), (999.5, "$999.50"), (0.0005, "$0.0005"), (0, "$0.00"), (4.313, "$4.31")],
)
def test_money(amount, text):
    assert usd(amount) == text


@settings(deadline=None, max_examples=25)
@given(st.floats(1, 1e12), st.floats(1, 1e12), st.booleans(), st.booleans())
def test_costs_grow_with_the_volume(one, other, offline, paramount):
    few, many = sorted((one, other))
    decided = [decide(Workload(calls, offline=offline, paramount=paramount), PI5) for calls in (few, many)]
    for before, after in zip(decided[0].options, decided[1].options, strict=True):
        assert before.cost.at(few) <= after.cost.at(many) * (1 + 1e-12)
    first, second = decided
    if first.recommended is not None and second.recommended is not None:
        assert first.recommended.cost.at(few) <= second.recommended.cost.at(many) * (1 + 1e-12)


FIGURES = [key for key, value in flat(PI5).items() if isinstance(value, int | float) or value == "computed"]
EXTREMES = st.sampled_from([1e-12, 0.5, 1, 7, 128, 1e9, 10**15, 1e18])


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.sampled_from(FIGURES), EXTREMES, min_size=1, max_size=5),
    st.sampled_from([1e-3, 1e6, 1e15]),
)
def test_whatever_is_assumed_there_is_an_answer(changes, calls):
    tables = {}
    for key, value in changes.items():
        section, _, figure = key.partition(".")
        tables.setdefault(section, {})[figure] = value
    try:
        a = changed(PI5, tables)
    except DataError:
        return
    found = decide(Workload(calls, devices=3), a)
    assert all(one.latency.p50_ms <= one.latency.p99_ms * (1 + 1e-9) for one in found.options)
    assert all(0 < one.cost.at(calls) < math.inf for one in found.options)
    assert reasons(found, Workload(calls, devices=3))
