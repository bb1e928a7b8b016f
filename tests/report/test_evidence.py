import pytest
from msgspec.structs import replace

from edgekit.evaluation.outcome import GoldenCheck
from edgekit.report.evidence import alarms, evidence


def said(report):
    return " ".join(evidence(report))


def test_what_the_gate_needs_comes_first(report):
    assert evidence(report())[0] == (
        "A limit of 2 points needs at least 149 independent samples, even if no decision flips; "
        "1,000 were measured."
    )
    assert "79 were too few." in evidence(report(n=79, clusters=79))[0]
    assert "needs at least" not in said(report(least_n=None, max_drop=None))


def test_inconclusive_says_how_many_more(report):
    assert evidence(report(needed_n=5600))[1] == (
        "To decide, it needs about 5,600 samples, if they go on like these 1,000."
    )


def test_slices_that_are_too_many(report):
    assert "too many slices by class to tell them" in said(report(untold=("class",)))
    assert "too many" not in said(report())


def test_without_truth_disagreement_is_a_bound(report):
    text = said(report(metric="disagreement"))
    assert "it bounds the drop from above" in text
    assert "a FAIL is no proof of a loss" in text
    assert "bounds" not in said(report())


def test_sources_looks_and_recordings(full, report):
    text = said(full())
    assert "Samples come from 500 sources" in text
    assert "looked at 2 times" in text
    assert "sources" not in said(report(clusters=1000))
    made = report()
    sides = replace(made.subjects, reference=replace(made.subjects.reference, recorded="r.predictions"))
    assert "recorded in r.predictions." in said(replace(made, subjects=sides))


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        (None, "was not checked"),
        (GoldenCheck(0, 0, 0, ""), "has no golden inputs"),
        (GoldenCheck(4, 0, 3, ""), "4 of 4 golden inputs hold, 3 equal to the bit"),
    ],
)
def test_golden(report, golden, words):
    assert words in said(report(golden=golden))
    assert alarms(report(golden=golden)) == []


def test_alarms(broken):
    first, second, third = alarms(broken)
    assert first.title == "Broken stage: channel order"
    assert first.text == (
        "Exchanged, 962 of 1,000 agree. Put right alone, it brings back 98.7 % of the lost decisions."
    )
    assert (second.title, second.text) == ("Broken stage: CTC alphabet (recognize)", "Shifted by one.")
    assert third.title == "This machine does not compute what the exporter measured"
    assert "scores differ by 1.25" in third.text
    assert "golden" not in said(broken)


def test_disagreement_of_detectors_bounds_nothing(report):
    text = said(report(task="detect", metric="disagreement"))
    assert "does not bound the drop" in text
    assert "PASS holds" not in text
