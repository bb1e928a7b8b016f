import pytest

from edgekit.catalog.cards import load_cards
from edgekit.catalog.devices import DEVICES
from edgekit.catalog.models import model_folder, models_folder
from edgekit.errors import UsageError

CARDS = load_cards()
ALWAYS = ("domain", "languages", "input_range", "cannot", "license", "parameters")
WHERE_GIVEN = ("trained_on", "operations", "active_parameters")
MEASURED_HERE = "x86-2-cores"
"""No device of the catalogue: docs/catalogue.md says so."""


@pytest.mark.parametrize("name", CARDS)
def test_a_card_says_what_a_person_must_know(name):
    card = CARDS[name]
    assert card.badge and len(card.cannot) >= 2
    assert card.license not in ("", "unknown")
    assert card.languages or "language" in card.sources["languages"] or "voices" in card.sources["languages"]
    assert all(tag.isascii() and 2 <= len(tag) <= 8 for tag in card.languages)
    assert card.subjects or card.general
    assert card.parameters > 100_000


@pytest.mark.parametrize("name", CARDS)
def test_each_fact_has_a_source(name):
    card = CARDS[name]
    given = [fact for fact in WHERE_GIVEN if getattr(card, fact)]
    assert [fact for fact in (*ALWAYS, *given) if not card.sources.get(fact)] == []
    assert all(hasattr(card, fact) for fact in card.sources)


@pytest.mark.parametrize("name", CARDS)
def test_a_time_is_of_a_device_that_is_known(name):
    assert {one.device for one in CARDS[name].speed} <= {*DEVICES, MEASURED_HERE}


@pytest.mark.parametrize("name", CARDS)
def test_it_has_a_recipe_or_a_reason(name):
    assert (model_folder(name) / "recipe.toml").is_file() != bool(CARDS[name].no_recipe)


def test_wrong_sizes_are_contradicted_by_arithmetic():
    for name, card in CARDS.items():
        for quoted in card.quoted:
            assert f"{card.parameters:,}" in quoted.truth, name
            assert quoted.bytes < 4 * card.parameters, name


def test_unknown_name_lists_the_known():
    with pytest.raises(UsageError, match="efficientnet-lite0"):
        model_folder("alexnet")
    assert model_folder("ppocr-v4").parent == models_folder()
