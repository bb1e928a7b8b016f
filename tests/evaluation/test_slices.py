import pytest

from edgekit.evaluation.classes import TopOne
from edgekit.evaluation.slices import MOST_SLICES, Slices, parts_of
from edgekit.evaluation.text import CharacterErrors
from edgekit.evaluation.tokens import Perplexity
from edgekit.statistics.paired import tango
from tests.evaluation.test_tokens import scored


def test_worst_first_at_a_confidence_for_all(sample, chosen):
    slices = Slices(TopOne(True).primary)
    for name, truth, lost in [("a", 0, 2), ("b", 1, 8), ("c", 2, 2)]:
        for i in range(40 if name == "c" else 20):
            given = sample(f"{name}{i}", truth)
            wrong = i < (lost * 2 if name == "c" else lost)
            slices.add("class", name, given, chosen(truth), chosen((truth + wrong) % 3))
    found = slices.slices()
    assert [(s.kind, s.name, s.n, s.clusters, s.changed) for s in found] == [
        ("class", "b", 20, 20, 8),
        ("class", "c", 40, 40, 4),
        ("class", "a", 20, 20, 2),
    ]
    assert (found[0].reference, found[0].candidate, found[0].drop) == (100.0, 60.0, 40.0)
    expected = tango(8, 0, 20, 1 - 0.05 / 3)
    assert found[0].interval == pytest.approx((100 * expected.low, 100 * expected.high), abs=1e-6)
    wider = slices.slices(0.99)[0].interval
    assert wider[0] < found[0].interval[0] < found[0].interval[1] < wider[1]


def test_kinds_apart(sample, chosen):
    slices = Slices(TopOne(False).primary)
    for kind, name in [("group", "night"), ("condition", "blur"), ("condition", "noise"), ("group", "day")]:
        slices.add(kind, name, sample("1"), chosen(0), chosen(int(name == "noise")))
    assert [(s.kind, s.name, s.drop) for s in slices.slices()] == [
        ("condition", "noise", 100.0),
        ("condition", "blur", 0.0),
        ("group", "day", 0.0),
        ("group", "night", 0.0),
    ]
    assert Slices(TopOne(False).primary).slices() == ()


def test_nothing_to_compare_is_left_out(sample, read):
    slices = Slices(CharacterErrors(True).primary)
    slices.add("group", "empty", sample("1", ""), read(), read("x"))
    slices.add("group", "full", sample("2", "abcd"), read("abcd"), read("abc"))
    assert [(s.name, s.drop) for s in slices.slices()] == [("full", 25.0)]


def test_perplexity_is_told_as_it_is(sample):
    slices = Slices(Perplexity(False).primary)
    slices.add("group", "g", sample("1"), scored([-1.0, -1.0]), scored([-2.0, -2.0]))
    (found,) = slices.slices()
    assert (found.reference, found.candidate) == pytest.approx((2.718282, 7.389056))
    assert found.drop == pytest.approx(171.828183)


def test_too_many_of_a_kind_are_not_told(sample, chosen):
    slices = Slices(TopOne(False).primary)
    for i in range(MOST_SLICES):
        slices.add("group", str(i), sample(str(i)), chosen(0), chosen(0))
    assert (len(slices.slices()), slices.untold) == (MOST_SLICES, ())
    slices.add("group", "one more", sample("x"), chosen(0), chosen(0))
    slices.add("group", "0", sample("y"), chosen(0), chosen(0))
    assert (slices.slices(), slices.untold) == ((), ("group",))


def test_which_slices_a_sample_belongs_to(sample, chosen, read):
    labelled = sample("1", 2)
    assert list(parts_of(labelled, chosen(0))) == [("class", "c")]
    assert list(parts_of(labelled, chosen(0), "blur")) == [("condition", "blur")]
    assert list(parts_of(sample("1", "text", group="night"), read("x"))) == [("group", "night")]
    assert list(parts_of(sample("1"), read("x"))) == []
