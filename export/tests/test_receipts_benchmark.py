"""The benchmark's rule, its choices and what it calls right."""

import json

from benchmarks.receipts import EXAMPLES, choices, prompt, right, rule
from edgekit_export.data.receipts import Fields

LINES = [
    "SALE", "Oak Deli", "Tel 555 1234", "17.02.2025", "12:30", "Milk", "$2.50", "Discount", "-$0.50", "Total items",
    "1", "TOTAL", "$2.00", "Cash", "$10.00", "Change", "$8.00", "Return by 01.03.2025",
]  # fmt: skip


def test_the_rule_takes_first_line_first_date_and_the_amount_at_total():
    assert rule(["Oak Deli", *LINES[3:9], *LINES[11:]]) == {
        "merchant": "Oak Deli", "date": "17.02.2025", "total": "2.00",
    }  # fmt: skip
    assert rule(LINES)["merchant"] == "SALE"
    assert (
        rule(LINES)["total"] == "10.00"
    )  # misled: the first total is one of items, so the largest amount it is
    assert rule([]) == {"merchant": "", "date": "", "total": ""}


def test_choices_are_lines_dates_and_amounts_of_the_text():
    found = choices(LINES)
    assert found["merchant"] == ("SALE", "Oak Deli")
    assert found["date"] == ("17.02.2025", "01.03.2025")
    assert found["total"] == ("2.50", "0.50", "2.00", "10.00", "8.00")
    assert choices(["a"]) == {"merchant": ("a",), "date": ("none",), "total": ("none",)}


def test_right_is_as_printed_spaces_and_capitals_aside():
    truth = Fields("Oak Deli", "5 Mar 2020", "12.50")
    assert right({"merchant": "OAKDELI", "date": "5Mar 2020", "total": 12.5}, truth) == {
        "merchant": True, "date": True, "total": True,
    }  # fmt: skip
    assert right({"merchant": "Oak", "date": "2020-03-05", "total": "$12.05"}, truth) == {
        "merchant": False, "date": False, "total": False,
    }  # fmt: skip
    assert not right({"merchant": "", "date": "", "total": "none"}, truth)["total"]


def test_examples_come_first_and_choices_are_texts():
    assert prompt(0, quoted=False) == "Receipt:\n{text}\nJSON:"
    assert prompt(3, quoted=True).startswith(f"Receipt:\n{EXAMPLES[0][0]}\nJSON: ")
    assert '"total": "32.00"}' in prompt(3, quoted=True)
    assert '"total": 32.00}' in prompt(3, quoted=False)
    for text, answer in EXAMPLES:
        told, found = json.loads(answer), choices(text.split("\n"))
        assert told["merchant"] in found["merchant"]
        assert told["date"] == found["date"][0]
        assert f"{told['total']:.2f}" in found["total"]
