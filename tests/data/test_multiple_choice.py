from __future__ import annotations

import json

import pytest

from edgekit.data.dataset import open_data
from edgekit.data.sample import Choice
from edgekit.errors import DataError

GOOD = {"question": "Two and two are", "choices": ["three", "four", "five"], "answer": "four"}


def table(tmp_path, *rows):
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return str(path)


def test_questions_with_answers_to_choose_from(tmp_path):
    lines = {"question": "Q: 2 + 2?\nA:\n", "choices": ["4", " 5"], "answer": 1, "group": "sums"}
    data = open_data([table(tmp_path, GOOD, lines)], "generate", (), "text")
    first, second = data
    assert data.truth == "label"
    assert first.load() == Choice("Two and two are", (" three", " four", " five"))
    assert (first.truth, first.id, first.group) == (1, "questions.jsonl:1", "")
    assert second.load() == Choice("Q: 2 + 2?\nA:\n", ("4", " 5"))
    assert (second.truth, second.group) == (1, "sums")
    assert first.cluster != second.cluster
    with pytest.raises(DataError, match="got a question"):
        _ = first.content


def test_the_digest_depends_on_the_answers(tmp_path):
    digests = set()
    for row in (
        GOOD,
        GOOD | {"answer": 2},
        GOOD | {"choices": ["three", "four", "six"]},
        GOOD | {"answer": 1},
    ):
        digests.add(open_data([table(tmp_path, row)], "generate").sha256)
    assert len(digests) == 3


def test_a_question_that_changed_is_noticed(tmp_path):
    path = table(tmp_path, GOOD)
    (sample,) = open_data([path], "generate")
    table(tmp_path, GOOD | {"question": "Two and 2 areee"})
    with pytest.raises(DataError, match="has changed"):
        sample.load()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": ""}, "'question' is ''"),
        ({"question": 3}, "'question' is 3"),
        ({"choices": ["one"]}, "expected a list of 2 to 64"),
        ({"choices": ["a"] * 65}, "expected a list of 2 to 64"),
        ({"choices": "a|b"}, "expected a list of 2 to 64"),
        ({"choices": ["a", " "]}, "expected a list of 2 to 64"),
        ({"choices": ["a", " a"]}, "two of the 'choices' are equal"),
        ({"answer": 3}, "its number from 0 to 2"),
        ({"answer": -1}, "'answer' is -1"),
        ({"answer": True}, "'answer' is True"),
        ({"answer": "six"}, "'answer' is 'six'"),
        ({"answer": None}, "'answer' is None"),
    ],
)
def test_rows_that_are_no_questions_are_refused(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        open_data([table(tmp_path, GOOD, GOOD | change)], "generate")


def test_texts_and_questions_are_measured_apart(tmp_path):
    with pytest.raises(DataError, match="measure labelled and unlabelled data apart"):
        open_data([table(tmp_path, GOOD, {"text": "a text"})], "generate")
