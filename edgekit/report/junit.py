"""The report as JUnit XML, in the dialect that Jenkins and GitLab read."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from edgekit.report.accuracy import Report
from edgekit.report.evidence import evidence, finding_alarm, golden_alarm
from edgekit.report.facts import headline
from edgekit.report.metrics import METRICS

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) allows in no form, not even escaped."""


def junit(report: Report) -> str:
    """One suite; what has a verdict is a test case.

    The gate fails on FAIL, is an error on INCONCLUSIVE (it could not be decided) and is skipped without a limit.
    The golden inputs fail if one did; so does each stage that was found broken. Slices have no verdict of
    their own and are no test cases.
    """
    two = report.subjects.candidate
    suite = ET.Element("testsuite", name=_legal(f"edgekit validate {two.bundle} {two.variant}"))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ET.SubElement(properties, "property", name=name, value=_legal(value))
    name = _legal(f"edgekit.{report.task}.{two.bundle}.{two.variant}")
    _gate(report, ET.SubElement(suite, "testcase", classname=name))
    _golden(report, ET.SubElement(suite, "testcase", classname=name, name="golden inputs"))
    for finding in report.findings:
        case = ET.SubElement(
            suite, "testcase", classname=name, name=_legal(f"stage {finding.stage} of {finding.role}")
        )
        alarm = finding_alarm(finding)
        _outcome(case, "failure", alarm.title, "BROKEN STAGE", alarm.text)
    root = ET.Element("testsuites", name="edgekit validate")
    root.append(suite)
    for element in (root, suite):
        element.set("tests", str(len(suite.findall("testcase"))))
        for tag, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            element.set(plural, str(len(suite.findall(f"testcase/{tag}"))))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _gate(report: Report, case: ET.Element) -> None:
    what = "disagreement" if report.metric == "disagreement" else "accuracy drop"
    limit = "" if report.max_drop is None else f" within {report.max_drop:g} {METRICS[report.metric].unit}"
    case.set("name", what + limit)
    if report.verdict in ("FAIL", "INCONCLUSIVE"):
        tag = "failure" if report.verdict == "FAIL" else "error"
        _outcome(case, tag, report.reason, report.verdict, "\n".join((headline(report), *evidence(report))))
    elif report.verdict == "NONE":
        ET.SubElement(case, "skipped", message="no limit was given")
    ET.SubElement(case, "system-out").text = _legal(headline(report))


def _golden(report: Report, case: ET.Element) -> None:
    golden = report.golden
    if golden is None or golden.inputs == 0:
        ET.SubElement(case, "skipped", message="not checked")
    elif golden.failed:
        alarm = golden_alarm(golden)
        _outcome(case, "failure", alarm.title, "GOLDEN", alarm.text)


def _outcome(case: ET.Element, tag: str, message: str, kind: str, text: str) -> None:
    ET.SubElement(case, tag, message=_legal(message), type=kind).text = _legal(text)


def _properties(report: Report) -> dict[str, str]:
    return {
        "verdict": report.verdict,
        "metric": report.metric,
        "drop": f"{report.drop:g}",
        "interval": f"{report.interval[0]:g} {report.interval[1]:g}",
        "n": str(report.n),
        "candidate": report.subjects.candidate.id,
        "reference": report.subjects.reference.id,
        "data": report.data.sha256,
    }


def _legal(text: str) -> str:
    return _ILLEGAL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
