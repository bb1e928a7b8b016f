import pytest

from edgekit.data.labels import LabelIndex, SeenLabels
from edgekit.errors import DataError

LABELS = ("tabby, tabby cat", "tiger cat", "goldfish, Carassius auratus", "crane", "crane", "7")


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("tiger cat", 1),
        ("Tiger_Cat", 1),
        ("tabby", 0),
        ("tabby, tabby cat", 0),
        ("carassius auratus", 2),
        ("3", 3),
        (4, 4),
        ("7", 5),  # a label, so it is no index
        (5, 5),
    ],
)
def test_found(name, index):
    assert LabelIndex(LABELS).find(name, "here") == index


def test_unknown_names_the_nearest():
    with pytest.raises(DataError) as caught:
        LabelIndex(LABELS).find("tigercat", "photos")
    assert caught.value.message == "photos: the model does not know the label 'tigercat' (6 classes)"
    assert caught.value.remedy.startswith("nearest: 'tiger cat'")


@pytest.mark.parametrize("name", ["6", 6, -1, "-1", "", "zzzzz"])
def test_unknown(name):
    with pytest.raises(DataError, match="does not know the label"):
        LabelIndex(LABELS).find(name, "here")


def test_two_classes_of_one_name():
    with pytest.raises(DataError, match=r"fits 2 classes: 3 'crane', 4 'crane' \(give the index\)"):
        LabelIndex(LABELS).find("crane", "here")


def test_model_without_labels():
    with pytest.raises(DataError, match="this model has no labels"):
        LabelIndex(()).find("cat", "here")


def test_classes_in_order_of_appearance():
    seen = SeenLabels()
    assert [seen.find(name, "here") for name in ("b", 3, "a", "3", "b", -1)] == [0, 1, 2, 1, 0, 3]
    with pytest.raises(DataError, match="here: expected the name of a class, got nothing"):
        seen.find("", "here")
