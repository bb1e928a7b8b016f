import pytest

from edgekit.catalog.cards import load_card, load_cards, read_card
from edgekit.catalog.models import model_names
from edgekit.errors import DataError, UsageError

SMALL = """
title = "A"
task = "classify"
domain = "b"
languages = []
input_range = "c"
cannot = ["d"]
license = "MIT"
source = "e"
parameters = 1
"""


def test_every_model_has_a_card():
    assert list(load_cards()) == model_names()


def test_reads_a_folder_of_ones_own(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "card.toml").write_text(
        SMALL + '[[speed]]\ndevice = "pi5"\nprecision = "int8"\nms = 4.0\n'
        'what = "a picture"\nkind = "measured"\nsource = "me"\n'
    )
    cards = load_cards(tmp_path)
    assert list(cards) == ["mine"]
    assert cards["mine"].speed[0].ms == 4.0
    assert cards["mine"].badge == ""
    assert load_cards(tmp_path / "nothing") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "is no TOML"),
        (SMALL + 'colour = "red"\n', "unknown field `colour`"),
        (SMALL.replace("parameters = 1", "parameters = -1"), r"\$.parameters"),
        (
            SMALL + '[[speed]]\ndevice = "pi5"\nprecision = "int8"\nms = 0.0\nwhat = "a"\nkind = "guessed"\n',
            "speed",
        ),
    ],
)
def test_a_broken_card_is_named(tmp_path, text, said):
    path = tmp_path / "card.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=said) as error:
        read_card(path)
    assert str(path) in str(error.value)


def test_what_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_card(tmp_path / "card.toml")
    with pytest.raises(UsageError, match="it has: .*blazeface"):
        load_card("alexnet")
