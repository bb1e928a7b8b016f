"""From feeds to a table and what builds its choices, on networks of every kind."""

import pytest

from edgekit_export.budget.allocation import Tables
from edgekit_export.budget.mixed import measured, mixed_recipe
from edgekit_export.calibration import Feeds
from edgekit_export.convert.serialize import to_bytes
from edgekit_export.quantize.modes import modes_of
from edgekit_export.quantize.progress import silent
from edgekit_export.quantize.quantize import build
from edgekit_export.quantize.recipe import DYNAMIC_INT8, Recipe
from export.tests.quantize.networks import attending, gated, pictures, pooled, residual, token_ids


@pytest.mark.parametrize(
    ("model", "given", "base"),
    [
        pytest.param(residual(), pictures(1), Recipe(wide=("conv0",)), id="one sample"),
        pytest.param(gated(), pictures(6, (8, 32)), Recipe(), id="gates"),
        pytest.param(attending(), token_ids(), DYNAMIC_INT8, id="tables of texts"),
        pytest.param(pooled(), pictures(3), Recipe(), id="no layers"),
    ],
)
def test_the_bytes_foretold_are_those_of_the_file(tmp_path, model, given, base):
    feeds = Feeds(tmp_path)
    for number, feed in enumerate(given):
        feeds.append(feed, str(number))
    table, ready = measured(model, feeds, base, silent)
    tables = Tables({"model": table})
    for size in (tables.smallest_bytes, (tables.smallest_bytes + tables.largest_bytes) // 2):
        found = tables.allocate(size)
        recipe = mixed_recipe(base, model, found.modes["model"])
        made = build(ready, modes_of(ready.model, recipe)).model
        assert len(to_bytes(made)) == pytest.approx(found.model_bytes, rel=0.005, abs=200)
        assert found.model_bytes <= size
