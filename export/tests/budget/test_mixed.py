"""From feeds to a table and what builds its choices, on networks of every kind."""

import numpy as np
import pytest

from edgekit_export.budget.allocation import Tables
from edgekit_export.budget.mixed import measured, mixed_recipe
from edgekit_export.calibration import Feeds
from edgekit_export.convert.serialize import to_bytes
from edgekit_export.convert.session import session_of
from edgekit_export.quantize.modes import modes_of
from edgekit_export.quantize.placement import Mode
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
    feeds = _as_feeds(tmp_path, given)
    table, ready = measured(model, feeds, base, silent)
    tables = Tables({"model": table})
    for size in (tables.smallest_bytes, (tables.smallest_bytes + tables.largest_bytes) // 2):
        found = tables.allocate(size)
        recipe = mixed_recipe(base, model, found.modes["model"])
        made = build(ready, modes_of(ready.model, recipe)).model
        assert len(to_bytes(made)) == pytest.approx(found.model_bytes, rel=0.005, abs=200)
        assert found.model_bytes <= size


def test_lookup_tables_have_a_noise_that_no_layer_can_undo(tmp_path):
    """They are int8 in every mixed variant: with all layers in float theirs is what is left."""
    model, feeds = attending(), _as_feeds(tmp_path, token_ids())
    table, ready = measured(model, feeds, DYNAMIC_INT8, silent)
    floats = dict.fromkeys(table.options, Mode.FLOAT)
    made, whole = session_of(build(ready, floats).model), session_of(model)
    pairs = [(whole.run(feed)[0], made.run(feed)[0]) for feed in feeds]
    noise = sum(np.square(a - b).sum() for a, b in pairs) / sum(np.square(a).sum() for a, _ in pairs)
    assert table.noise_of(floats) == table.fixed_noise > 1e-6
    assert noise == pytest.approx(table.fixed_noise, rel=0.9)
    assert (
        measured(residual(), _as_feeds(tmp_path / "r", pictures(3)), Recipe(), silent)[0].fixed_noise < 1e-9
    )


def _as_feeds(folder, given):
    feeds = Feeds(folder)
    for number, feed in enumerate(given):
        feeds.append(feed, str(number))
    return feeds
