import pytest

from edgekit.catalog.cards import load_cards
from edgekit.catalog.licence_words import LicenceWish, find_licence, wish_of

CARDS = load_cards()


@pytest.mark.parametrize(
    ("text", "named", "use"),
    [
        ("detect cars, Apache-2.0 licence", "Apache-2.0", ""),
        ("detect cars under the MIT license", "MIT", ""),
        ("detect cars in a closed-source product", "", "closed source"),
        ("detect cars, for commercial use", "", "commercial use"),
        ("detect cars, open source", "", "open source"),
        ("detect cars, no GPL", "", "closed source"),
    ],
)
def test_a_wish(text, named, use):
    assert find_licence(text)[0] == LicenceWish(named, use)


def test_no_wish():
    assert find_licence("submit forms and detect cars") == (None, [])


@pytest.mark.parametrize(
    ("wish", "name", "refused"),
    [
        ("closed-source", "yolov8n", True),
        ("closed-source", "fastestdet", False),
        ("closed-source", "age-vit", True),  # not stated
        ("commercial", "robertuito", True),
        ("commercial", "yolov8n", False),
        ("open-source", "gemma3-1b", True),
        ("open-source", "yolov8n", False),
        ("Apache-2.0", "tinyllama-1.1b", False),
        ("Apache-2.0", "centernet-mobilenetv3", True),
        ("Apache-2.0", "mobilenetv2", True),  # its code is, its weights say nothing
        ("MIT", "gemma3-1b", True),  # "prohibited" has "mit" within
        ("MIT", "silero-vad", False),
    ],
)
def test_refusals(wish, name, refused):
    assert bool(wish_of(wish).refusal(CARDS[name])) == refused


def test_a_refusal_names_the_licence():
    assert wish_of("closed-source").refusal(CARDS["yolov8n"]) == (
        "asked for closed source: its licence is AGPL-3.0, or a paid licence of Ultralytics (copyleft)"
    )


def test_an_unknown_name_is_taken_as_it_is():
    assert wish_of("EUPL-1.2") == LicenceWish("EUPL-1.2")
