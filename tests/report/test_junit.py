from xml.etree import ElementTree

import pytest

from edgekit.evaluation.outcome import Finding, GoldenCheck
from edgekit.report.junit import junit


def suite(report):
    root = ElementTree.fromstring(junit(report))
    assert root.tag == "testsuites"
    return root.find("testsuite")


def counts(element):
    return {key: int(element.get(key)) for key in ("tests", "failures", "errors", "skipped")}


def test_pass(full):
    found = suite(full())
    assert counts(found) == {"tests": 2, "failures": 0, "errors": 0, "skipped": 0}
    gate, golden = found.findall("testcase")
    assert (gate.get("classname"), gate.get("name")) == (
        "edgekit.classify.lite0.int8",
        "accuracy drop within 2 points",
    )
    assert golden.get("name") == "golden inputs"
    properties = {p.get("name"): p.get("value") for p in found.iter("property")}
    assert (properties["drop"], properties["interval"], properties["n"]) == ("0.8", "-0.1 1.7", "1000")


@pytest.mark.parametrize(
    ("verdict", "tag", "expected"),
    [
        ("FAIL", "failure", {"tests": 2, "failures": 1, "errors": 0, "skipped": 1}),
        ("INCONCLUSIVE", "error", {"tests": 2, "failures": 0, "errors": 1, "skipped": 1}),
        ("NONE", "skipped", {"tests": 2, "failures": 0, "errors": 0, "skipped": 2}),
    ],
)
def test_verdicts(report, verdict, tag, expected):
    found = suite(report(verdict=verdict, reason="because", golden=GoldenCheck(0, 0, 0, "")))
    assert counts(found) == expected
    outcome = found.find("testcase").find(tag)
    assert outcome.get("message") == ("no limit was given" if verdict == "NONE" else "because")
    assert outcome.get("type") == (None if verdict == "NONE" else verdict)


def test_broken(broken):
    found = suite(broken)
    assert counts(found) == {"tests": 4, "failures": 4, "errors": 0, "skipped": 0}
    names = [case.get("name") for case in found.findall("testcase")]
    assert names[1:] == ["golden inputs", "stage channel order of model", "stage CTC alphabet of recognize"]
    assert "scores differ by 1.25" in found.findall("testcase")[1].find("failure").text
    assert (
        found.findall("testcase")[3].find("failure").get("message")
        == "Broken stage: CTC alphabet (recognize)"
    )


def test_any_text_stays_xml(report):
    nasty = "a\x00b\x1b[31m<&\"'>\ud800\ufffe\U0001f600]]>"
    found = suite(
        report(
            verdict="FAIL",
            reason=nasty,
            golden=GoldenCheck(1, 1, 0, nasty),
            findings=(Finding(nasty, "m", nasty),),
        )
    )
    failure = found.find("testcase").find("failure")
    assert failure.get("message") == "a\\u0000b\\u001b[31m<&\"'>\\ud800\\ufffe\U0001f600]]>"
    assert "\\u0000" in found.findall("testcase")[2].get("name")
