import pytest

from edgekit.errors import UsageError
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.recipe import Recipe, recipe_from


def test_empty_table_is_the_default():
    assert recipe_from({}) == Recipe()


def test_a_full_table():
    table = {
        "name": "mine",
        "mode": "int8",
        "ranges": "min_max",
        "rounding": "nearest",
        "correct_bias": False,
        "wide": ["conv0"],
        "weight8": ["conv1"],
        "keep_below_db": 30.0,
        "keep_as": "weight8",
        "samples": 12,
    }
    made = recipe_from(table)
    assert made.wide == ("conv0",)
    assert made.keep_as is Mode.WEIGHT8
    assert hash(made)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"wild": 1}, "unknown key 'wild'"),
        ({"ranges": "median"}, "ranges: got 'median'"),
        ({"rounding": "up"}, "rounding: got 'up'"),
        ({"mode": "int3"}, "mode: got 'int3'"),
        ({"keep_as": "half"}, "keep_as: got 'half'"),
        ({"samples": 0}, "samples: expected 1 or more"),
        ({"wide": ["a"], "weight8": ["a"]}, "both wide and weight8"),
        ({"half": ["b", "a"], "weight8": ["a"]}, "'a' is both weight8 and half"),
    ],
)
def test_refuses(table, message):
    with pytest.raises(UsageError, match=message):
        recipe_from(table)
