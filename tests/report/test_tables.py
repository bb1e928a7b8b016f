from typing import get_args

from edgekit.evaluation.outcome import Metric
from edgekit.report.metrics import METRICS
from edgekit.report.tables import looks_table, measures_table, shift, slices_of, slices_table


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_every_metric_has_a_name():
    assert set(METRICS) == set(get_args(Metric))


def test_measures(full):
    table = measures_table(full())
    assert table.columns == ("measure", "reference", "candidate", "worse by", "95 % interval")
    assert texts(table) == [
        ["top-1 accuracy", "88.00 %", "87.20 %", "0.80 points", "-0.10 to 1.70"],
        ["top5", "97.90 %", "97.60 %", "0.30 points", "-0.05 to 0.70"],
        ["kl", "–", "–", "0.0213 nats", "0.019 to 0.0241"],
        ["auc", "99.10 %", "99.00 %", "0.10 points", "–"],
    ]
    assert table.rows[1][0].note == "label among the best five"
    assert [cell.key for cell in table.rows[3]] == [None, 99.1, 99.0, 0.1, None]


def test_disagreement_has_no_values_of_its_own(full):
    row = texts(measures_table(full(metric="disagreement", measures=())))[0]
    assert row == ["disagreement", "–", "–", "0.80 points", "-0.10 to 1.70"]


def test_slices(full):
    report = full()
    found = slices_of(report, "condition")
    assert [s.name for s in found] == ["blur", "jpeg"]
    table = slices_table(report, "condition", found)
    assert texts(table)[0] == ["blur", "1,000", "80.00 %", "77.50 %", "2.50", "0.50 to 4.50", "60"]
    assert [row[4].note for row in table.rows] == ["worse", "better"]
    assert table.rows[0][1].note == "500 sources"
    assert [s.name for s in slices_of(report, "class")][:2] == ["class 29", "class 28"]


def test_looks(full):
    assert texts(looks_table(full())) == [
        ["250", "99.87 %", "-2.10 to 4.60", "INCONCLUSIVE"],
        ["1,000", "96.00 %", "-0.10 to 1.70", "PASS"],
    ]


def test_slices_that_disagree_are_not_called_worse(full):
    report = full(metric="disagreement")
    table = slices_table(report, "condition", slices_of(report, "condition"))
    assert texts(table)[0] == ["blur", "1,000", "–", "–", "2.50", "0.50 to 4.50", "60"]
    assert {row[4].note for row in table.rows} == {""}
    assert {shift(part, report) for part in report.slices} == {"open"}
