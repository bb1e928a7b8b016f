import pytest

from edgekit.report.differences import LONGEST, differences


def test_characters_of_short_texts():
    assert differences("STOP", "STO") == ([("STO", False), ("P", True)], [("STO", False)])
    assert differences("a1c", "a2c")[1] == [("a", False), ("2", True), ("c", False)]


def test_words_of_long_texts():
    one, two = "the quick fox " * 40, "the quick fox " * 39 + "the slow fox "
    assert [piece for piece, differs in differences(one, two)[0] if differs] == ["quick"]
    assert [piece for piece, differs in differences(one, two)[1] if differs] == ["slow"]


@pytest.mark.parametrize(
    ("one", "two"), [("", ""), ("a", ""), ("ab\ncd  e", "xb\nc  ef"), ("x y " * 300, "y x " * 290)]
)
def test_pieces_join_to_the_text(one, two):
    first, second = differences(one, two)
    assert "".join(piece for piece, _ in first) == one
    assert "".join(piece for piece, _ in second) == two


def test_very_long_texts_are_not_compared():
    text = "a " * LONGEST
    assert differences(text, text + "b") == ([(text, False)], [(text + "b", False)])
