import pytest

from edgekit.catalog.cards import load_cards
from edgekit.catalog.licences import licence_kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("yolov8n", "copyleft"),
        ("robertuito", "non-commercial"),
        ("gemma3-1b", "own terms"),
        ("twitter-roberta", "attribution"),
        ("finbert", "not stated"),
        ("expression-vit", "not stated"),
        ("efficientnet-lite0", "permissive"),
    ],
)
def test_kinds(name, kind):
    assert licence_kind(load_cards()[name]) == kind
