import numpy as np
import pytest

from edgekit.errors import ModelError
from edgekit.evaluation.origin import GraphOrigin
from edgekit_export.layers import graph_origin
from edgekit_export.layers.origin import PIXELS, SAMPLES, few
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from export.tests.layers.test_alone import E, broken, chain, decibel
from export.tests.quantize.networks import gated, pictures, residual


def test_a_graph_by_hand():
    full = chain(1 + E, 1 + E, 2.0)
    feeds = [{"x": np.ones((1, 1), np.float32)}]
    found = graph_origin(full, quantize(full, (), HALF_WEIGHTS).model, feeds)
    first = decibel(1 + E, E)
    both = decibel((1 + E) ** 2, (1 + E) ** 2 - 1)
    assert found.samples == 1
    assert [(layer.name, layer.op, layer.precision) for layer in found.layers] == [
        ("t0", "MatMul", "half"),
        ("t1", "MatMul", "half"),
        ("t2", "MatMul", "half"),
    ]
    assert [layer.alone_db for layer in found.layers[:2]] == pytest.approx([first, first], abs=0.02)
    assert found.layers[2].alone_db is None
    assert [layer.cumulative_db for layer in found.layers] == pytest.approx([first, both, both], abs=0.02)
    assert found.worst.layer == "t1"  # the first of equals
    assert found.stages is None


def test_layers_stand_in_order_and_the_worst_has_a_histogram():
    full, feeds = residual(), pictures(20)
    reduced = broken(quantize(full, feeds, Recipe()).model, "conv3.wq")
    found = graph_origin(full, reduced, feeds)
    assert found.samples == SAMPLES
    assert [layer.name for layer in found.layers][:3] == ["conv0", "conv1", "conv2"]
    assert min(found.layers, key=lambda layer: layer.alone_db).name == "conv3"
    lowest = min(found.layers, key=lambda layer: layer.cumulative_db)
    assert found.worst.layer == lowest.name
    assert sum(found.worst.reference) == sum(found.worst.candidate) > 0
    assert next(layer.name for layer in found.layers if layer.cumulative_db < 25) == "conv3"


def test_the_same_again():
    full, feeds = gated(), pictures(4, (8, 24))
    reduced = quantize(full, feeds, Recipe()).model
    assert graph_origin(full, reduced, feeds) == graph_origin(full, reduced, feeds)


def test_nothing_reduced_and_nothing_given():
    full = residual()
    assert graph_origin(full, full, pictures(2)) == GraphOrigin(samples=2, layers=())
    found = graph_origin(full, quantize(full, (), HALF_WEIGHTS).model, [])
    assert (found.samples, found.worst) == (0, None)
    assert all(layer.alone_db is None and layer.cumulative_db is None for layer in found.layers)


def test_another_network_is_refused():
    with pytest.raises(ModelError, match="operator 0 is Conv"):
        graph_origin(residual(), gated(), pictures(1))


@pytest.mark.parametrize(("side", "count", "taken"), [(16, 20, 8), (16, 3, 3), (708, 8, 3), (2000, 8, 1)])
def test_few_pages_or_eight_crops(side, count, taken):
    feeds = [{"image": np.broadcast_to(np.uint8(i), (1, side, side, 3))} for i in range(count)]
    found = few(feeds)
    assert len(found) == taken
    assert taken == 1 or sum(f["image"].size // 3 for f in found) <= PIXELS
    assert few([]) == []
