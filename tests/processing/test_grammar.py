from __future__ import annotations

import json

import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit.processing.grammar import DEAD, choice, json_object, parse_fields


def reads(grammar, data):
    """Whether the grammar takes all of it; None where it takes it as a beginning only."""
    state = 0
    for byte in data if isinstance(data, bytes) else data.encode():
        state = int(grammar.table[state, byte])
        if state == DEAD:
            return False
    return True if grammar.accepting[state] else None


def test_a_choice_is_one_of_its_texts():
    grammar = choice(["yes", "yes please", "ño"])
    assert [reads(grammar, text) for text in ("yes", "yes please", "ño", "yes p", "", "no", "yess")] == [
        True, True, True, None, None, False, False,
    ]  # fmt: skip
    assert grammar.distance[0] == 3


FIELDS = {"who": "string", "total": "number", "n": "integer", "paid": "boolean", "size": ("S", 'ex"tra ü')}
GOOD = [
    {"who": "", "total": 0, "n": -7, "paid": True, "size": "S"},
    {"who": 'ä€🙂 "x" \\ / \n\t', "total": -12.5, "n": 123456789012345, "paid": False, "size": 'ex"tra ü'},
    {"who": "a", "total": 0.123456, "n": 0, "paid": False, "size": "S"},
]


@pytest.mark.parametrize("value", GOOD)
def test_what_python_writes_is_read(value):
    assert reads(json_object(FIELDS), json.dumps(value, ensure_ascii=False)) is True


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("string", '"a\nb"', False),
        ("string", b'"\xc0\x80"', False),
        ("string", b'"\xed\xa0\x80"', False),
        ("string", b'"\xf4\x90\x80\x80"', False),
        ("string", b'"\xf4\x8f\xbf\xbf"', True),
        ("string", b'"\xe0\x9f\xbf"', False),
        ("string", '"\\x"', False),
        ("string", '"\\"', None),
        ("number", "01", False),
        ("number", "-", None),
        ("number", "1.", None),
        ("number", ".5", False),
        ("number", "1e5", False),
        ("number", "1234567890123456", False),
        ("number", "0.1234567", False),
        ("integer", "1.5", False),
        ("integer", "-0", True),
        ("boolean", "True", False),
        ("boolean", "true", True),
    ],
)
def test_values(field, text, expected):
    data = text if isinstance(text, bytes) else text.encode()
    grammar = json_object({"a": field})
    assert reads(grammar, b'{"a": ' + data + (b"}" if expected else b"")) is expected
    if expected:
        json.loads(b'{"a": ' + data + b"}")


def test_anything_that_the_grammar_makes_is_json_with_the_fields():
    grammar = json_object(FIELDS)
    rng = np.random.default_rng(0)
    for _ in range(60):
        state, made = 0, bytearray()
        while not grammar.accepting[state]:
            following = np.flatnonzero(grammar.table[state] != DEAD)
            if len(made) > 80:  # home by the shortest way
                ahead = grammar.distance[grammar.table[state, following]]
                following = following[ahead == ahead.min()]
            made.append(int(rng.choice(following)))
            state = int(grammar.table[state, made[-1]])
        found = json.loads(made)
        assert list(found) == list(FIELDS)
        assert isinstance(found["who"], str)
        assert isinstance(found["n"], int)
        assert isinstance(found["paid"], bool)
        assert found["size"] in FIELDS["size"]


def test_the_shortest_answer_is_known():
    assert json_object({"a": "string"}).distance[0] == len('{"a": ""}')
    assert json_object({"a": "boolean", "b": "integer"}).distance[0] == len('{"a": true, "b": 1}')


def test_fields_as_people_write_them():
    assert parse_fields("merchant, date:string,total:number,paid:yes|no") == {
        "merchant": "string", "date": "string", "total": "number", "paid": ("yes", "no"),
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "a,", "a,a", "a:date", "a:", ":string"])
def test_fields_that_are_none(text):
    with pytest.raises(UsageError):
        parse_fields(text)


@pytest.mark.parametrize("make", [lambda: choice([]), lambda: choice(["a", ""]), lambda: json_object({}),
                                  lambda: json_object({"a": ("x", "")}), lambda: choice(["x" * 40_000])])  # fmt: skip
def test_grammars_of_nothing_or_too_much(make):
    with pytest.raises(UsageError):
        make()
