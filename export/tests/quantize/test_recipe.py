import json
from dataclasses import fields

import pytest

from edgekit.errors import UsageError
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.recipe import DYNAMIC_INT8, HALF_WEIGHTS, Recipe, recipe_from, recipe_table


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
    "recipe",
    [
        Recipe(),
        HALF_WEIGHTS,
        DYNAMIC_INT8,
        Recipe(name="mixed", mode=Mode.WEIGHT8, modes=(("conv0", Mode.WEIGHT12), ("scores", Mode.HALF))),
        Recipe(
            wide=("a",), weight8=("b", "c"), half=("d",), keep_below_db=30.0, keep_as=Mode.WEIGHT8, samples=7
        ),
        Recipe(
            ranges="min_max", rounding="nearest", damping=0.3, correct_bias=False, tflite="static_wi8_ai8"
        ),
    ],
)
def test_a_recipe_is_its_table_also_by_way_of_json(recipe):
    table = recipe_table(recipe)
    assert recipe_from(table) == recipe
    assert recipe_from(json.loads(json.dumps(table))) == recipe


def test_a_table_says_every_field_that_is_no_empty_list():
    said = {field.name for field in fields(Recipe) if getattr(Recipe(), field.name) != ()}
    assert set(recipe_table(Recipe())) == said
    assert recipe_table(Recipe())["damping"] == Recipe().damping


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"wild": 1}, "unknown key 'wild'"),
        ({"ranges": "median"}, "ranges: got 'median'"),
        ({"rounding": "up"}, "rounding: got 'up'"),
        ({"mode": "int3"}, "mode: got 'int3'"),
        ({"keep_as": "half"}, "keep_as: got 'half'"),
        ({"samples": 0}, "samples: expected 1 or more"),
        ({"samples": "many"}, "samples: got 'many'.*expected a number"),
        ({"samples": 1.5}, "samples: got 1.5"),
        ({"samples": True}, "samples: got True"),
        ({"damping": 0}, "damping: expected above 0, up to 1000, got 0"),
        ({"damping": float("nan")}, "damping: .* got nan"),
        ({"damping": 1e6}, "damping: .* got 1e.06"),
        ({"correct_bias": 1}, "correct_bias: got 1.*true or false"),
        ({"mode": ["int8"]}, "mode: got .*expected a text"),
        ({"wide": "conv0"}, "wide: got 'conv0'.*a list of layers"),
        ({"half": [3]}, "half: got .*a list of layers"),
        ({"modes": ["conv0"]}, "modes: got .*a table of modes by layer"),
        ({"modes": {"conv0": 4}}, "modes: got .*a table of modes by layer"),
        ({"modes": {"conv0": "weight99"}}, "modes.conv0: got 'weight99'"),
        ({"wide": ["a"], "weight8": ["a"]}, "both wide and weight8"),
        ({"half": ["b", "a"], "weight8": ["a"]}, "'a' is both weight8 and half"),
    ],
)
def test_refuses(table, message):
    with pytest.raises(UsageError, match=message):
        recipe_from(table)
