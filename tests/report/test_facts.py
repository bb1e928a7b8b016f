import pytest
from msgspec.structs import replace

from edgekit.evaluation.outcome import Flips
from edgekit.report.facts import contrasts, facts, headline, key_facts, surroundings


def named(lines):
    return {line.name: line for line in lines}


def test_headline(report):
    assert headline(report()) == "PASS: drop 0.80 points, 95 % interval -0.10 to 1.70"
    assert headline(report(verdict="NONE", metric="disagreement")).startswith(
        "no limit given: disagreement 0.80"
    )


def test_facts_with_labels(report):
    found = named(facts(report(mcnemar_p=0.22912)))
    assert found["drop of top-1 accuracy"].value == "0.80 points"
    assert found["right to wrong"].value == "21"
    assert found["right to wrong"].note == "exact McNemar p = 0.229"
    assert found["samples"].note.startswith("from 500 sources")
    assert found["output SQNR"].value == "21.5 dB"
    assert found["least samples"].value == "149"
    assert "samples needed" not in found


def test_facts_without_labels(report):
    found = named(
        facts(
            report(
                metric="disagreement", flips=Flips(34, None, None), clusters=1000, needed_n=5600, least_n=None
            )
        )
    )
    assert found["disagreement"].value == "0.80 points"
    assert "right to wrong" not in found
    assert found["samples"].note == "each taken as independent"
    assert found["samples needed"].value == "5,600"
    assert "least samples" not in found


@pytest.mark.parametrize(("identical", "words"), [(True, "identical to the bit"), (False, "not comparable")])
def test_no_sqnr(report, identical, words):
    assert named(facts(report(sqnr_db=None, identical=identical)))["output SQNR"].value == words


def test_contrasts(report):
    found = named(contrasts(report()))
    assert (found["top-1 accuracy"].reference, found["top-1 accuracy"].candidate) == ("88.00 %", "87.20 %")
    assert (found["model files"].reference, found["model files"].candidate) == ("18.60 MB", "5.19 MB")
    assert found["model files"].note == "28% of it"
    assert found["engine"].candidate == "engine 1, 1 thread"
    assert "disagreement" not in named(contrasts(report(metric="disagreement")))


def test_surroundings(report):
    found = named(surroundings(report()))
    assert found["data"].value == "photos?crops=2"
    assert found["versions"].value == "numpy 2.4.6"
    assert found["CPU features"].value == "avx2"


def test_what_the_gate_needs_stands_first(report):
    assert [f.name for f in facts(report(needed_n=5600))][:3] == [
        "least samples",
        "samples needed",
        "drop of top-1 accuracy",
    ]


def test_key_facts(report):
    drop, interval, samples, files = key_facts(report())
    assert (drop.value, drop.note) == ("0.80", "percentage points, limit 2")
    assert (interval.name, interval.value) == ("95 % interval", "-0.10 to 1.70")
    assert (samples.value, samples.note) == (
        "1,000",
        "measured from 500 sources; this limit needs at least 149",
    )
    assert (files.value, files.note) == ("5.19 MB", "28% of 18.60 MB")


def test_a_recorded_side_says_so(report):
    made = report()
    sides = replace(made.subjects, reference=replace(made.subjects.reference, recorded="ref.predictions"))
    engine = named(contrasts(replace(made, subjects=sides)))["engine"]
    assert engine.reference == "engine 1, 1 thread, recorded in ref.predictions"
    assert engine.candidate == "engine 1, 1 thread"


def test_perplexity_is_no_percentage_and_rises_in_percent_of_itself(report):
    made = report(metric="perplexity", reference=12.34, candidate=12.44)
    assert headline(made).startswith("PASS: drop 0.80 %, ")
    found = named(contrasts(made))["perplexity"]
    assert (found.reference, found.candidate) == ("12.34", "12.44")
    assert key_facts(made)[0].note == "percent of the reference's value, limit 2"
    assert named(facts(made))["rise of perplexity"].value == "0.80 %"
