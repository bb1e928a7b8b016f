import pytest

from edgekit.bundle.manifest import Card
from edgekit.catalog.models import model_folder, model_names, models_folder
from edgekit.errors import UsageError


def test_every_model_has_a_card_that_says_what_it_cannot_do():
    import tomllib

    import msgspec

    for name in model_names():
        card = msgspec.convert(tomllib.loads((model_folder(name) / "card.toml").read_text()), Card)
        assert card.cannot, name
        assert card.license not in ("", "unknown"), name
        assert card.languages or card.task == "activity", name  # its result has no words
        assert card.parameters > 100_000, name


def test_unknown_name_lists_the_known():
    with pytest.raises(UsageError, match="efficientnet-lite0"):
        model_folder("alexnet")
    assert model_folder("ppocr-v4").parent == models_folder()
