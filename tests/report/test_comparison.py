import json
import re
from html.parser import HTMLParser

import msgspec
import pytest
from msgspec.structs import replace

from edgekit.evaluation.outcome import Data, Slice, Worst
from edgekit.report.comparison import Changed, Moved, compare_reports
from edgekit.report.comparison_page import change_tables, comparison_html, comparison_markdown, results_table


def test_a_report_against_itself(full):
    found = compare_reports(full(), full())
    assert found.summary == "Nothing changed."
    assert (found.comparable, found.intervals) == (True, "overlap")
    assert (found.changes, found.slices, found.worst_new, found.worst_gone) == ({}, (), (), ())


def test_verdict_drop_and_intervals_apart(full, broken):
    found = compare_reports(full(), broken)
    assert found.intervals == "apart"
    assert found.summary == (
        "The verdict went from PASS to FAIL. The drop was 0.80 points and is 56.50. "
        "Their intervals have nothing in common: the true drops differ, as far as both intervals hold."
    )
    result = {line.name: (line.before, line.after) for line in found.changes["Result"]}
    assert result == {
        "verdict": ("PASS", "FAIL"),
        "drop of top-1 accuracy": ("0.80 points", "56.50 points"),
        "95 % interval": ("-0.10 to 1.70", "53.10 to 59.80"),
        "golden inputs": ("0 of 4 failed", "2 of 4 failed"),
        "broken stages": ("", "channel order (model), CTC alphabet (recognize)"),
        "top-1 accuracy, candidate": ("87.20 %", "31.50 %"),
    }


def test_overlap_is_no_proof_of_anything(full):
    found = compare_reports(full(), full(drop=1.2, interval=(0.2, 2.2), verdict="INCONCLUSIVE"))
    assert found.intervals == "overlap"
    assert "do not show whether the true drops differ" in found.summary
    assert "went from PASS to INCONCLUSIVE" in found.summary


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"data": Data(("other",), "ef" * 32, "label")},
            "different data, so the drops are not comparable directly",
        ),
        ({"metric": "disagreement"}, "top-1 accuracy (classify) and disagreement (classify)"),
        ({"confidence": 0.99}, "95 % and 99 %"),
    ],
)
def test_what_stands_in_the_way(full, changes, words):
    found = compare_reports(full(), full(**changes))
    assert (found.comparable, found.intervals) == (False, "unknown")
    assert words in found.obstacles[0]
    assert words in found.summary
    assert "overlap" not in found.summary


def test_another_reference_machine_version_size_and_recipe(full):
    before = full()
    sides = before.subjects
    after = replace(
        before,
        subjects=replace(
            sides,
            reference=replace(sides.reference, id="ee" * 32),
            candidate=replace(sides.candidate, recipe="other", bytes=4_000_000, threads=2),
        ),
        machine=replace(before.machine, model="Pi 5", versions={"numpy": "2.5.0", "onnxruntime": "1.31.0"}),
    )
    found = compare_reports(before, after)
    assert found.obstacles == ("The references differ, and each drop is against its own.",)
    assert found.changes["Candidate"] == (
        Changed("recipe", "recipe_int8", "other"),
        Changed("model files", "5.19 MB", "4.00 MB"),
        Changed("threads", "1", "2"),
    )
    assert found.changes["Machine"] == (
        Changed("model", "Test CPU", "Pi 5"),
        Changed("numpy", "2.4.6", "2.5.0"),
        Changed("onnxruntime", "", "1.31.0"),
    )
    assert "Result" not in found.changes


def test_slices_and_worst_samples_that_moved(full):
    def part(name, drop):
        return Slice("class", name, 9, 9, 90.0, 90.0 - drop, drop, (drop - 1, drop + 1), 1)

    before = full(slices=(part("a", 1.0), part("b", 1.0), part("c", 1.0), part("gone", 1.0)))
    after = full(
        slices=(part("a", 1.0), part("b", 2.5), part("c", 9.0)),
        worst=(
            Worst("c.jpg", None, "dog", "dog", 0.5, False),
            Worst("c.jpg", None, "", "", 1.0, True, 3, "blur"),
        ),
    )
    found = compare_reports(before, after)
    assert found.slices == (
        Moved("class", "c", 1.0, (0.0, 2.0), 9.0, (8.0, 10.0), True),
        Moved("class", "b", 1.0, (0.0, 2.0), 2.5, (1.5, 3.5), False),
    )
    assert (found.worst_new, found.worst_gone) == (("c.jpg (blur)",), ("a|b.jpg#1 (blur)",))


def test_measures_that_changed(full):
    before = full()
    after = full(measures=(before.measures[0], replace(before.measures[1], drop=0.05, interval=None)))
    assert compare_reports(before, after).changes["Measures"] == (
        Changed("kl", "worse by 0.0213 nats (0.019 to 0.0241)", "worse by 0.05 nats"),
        Changed("auc", "99.10 % to 99.00 %: worse by 0.10 points", ""),
    )


def test_json_is_versioned(full, broken):
    found = compare_reports(full(), broken)
    fields = found.as_json()
    assert (fields["schema"], fields["kind"]) == (1, "comparison")
    assert json.loads(msgspec.json.encode(found))["before"]["drop"] == 0.8


def test_tables(full, broken):
    found = compare_reports(full(), broken)
    assert [cell.text for cell in results_table(found).rows[1]] == [
        "after: Lite <0>, int8", "FAIL", "56.50", "53.10 to 59.80"
    ]  # fmt: skip
    assert [table.name for table in change_tables(found)] == ["Result"]
    assert change_tables(found)[0].rows[4][1].text == "–"


def test_markdown(full, broken):
    text = comparison_markdown(compare_reports(full(), replace(broken, slices=broken.slices[1:], worst=())))
    assert "| golden inputs | 0 of 4 failed | 2 of 4 failed |" in text
    assert "## No longer among them\n\n- a\\|b.jpg\\#1 (blur)" in text


def test_page(full, broken):
    moved = tuple(replace(s, drop=s.drop + 50, interval=(s.drop + 40, s.drop + 60)) for s in broken.slices)
    page = comparison_html(compare_reports(full(), replace(broken, slices=moved)))
    assert "FAIL <small>was PASS</small>" in page
    assert "8 more are in comparison.json" in page
    assert page.count("<td>apart</td>") + page.count('data-name="intervals">apart') == 25
    assert "Lite &lt;0&gt;" in page
    assert not re.search(r"https?://", page)
    HTMLParser().feed(page)
