from __future__ import annotations

import pytest

from edgekit.bundle.messages import printable, some_of


def test_printable_shortens_and_escapes():
    assert printable("a" * 200) == "'" + "a" * 120 + "…'"
    assert printable("\x1b[2J\u202e\n") == r"'\x1b[2J\u202e\n'"


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], "nothing"),
        (["b", "a"], "'a', 'b'"),
        ([f"{i}" for i in range(8)], "'0', '1', '2', '3', '4', '5', '6', '7'"),
        ([f"{i:02}" for i in range(10)], "'00', '01', '02', '03', '04', '05', '06', '07' and 2 more"),
    ],
)
def test_some_of(items, text):
    assert some_of(items) == text
