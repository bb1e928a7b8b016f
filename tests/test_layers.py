import numpy as np
import pytest
from msgspec.structs import replace

import edgekit
from edgekit import layers
from edgekit.errors import EnvironmentLacks, UsageError
from edgekit.evaluation.origin import GraphOrigin, LayerNoise


class Entry:
    """An entry point that gives ``value``."""

    def __init__(self, value):
        self.value = value

    def load(self):
        return self.value


def provide(monkeypatch, *values):
    def found(group, name):
        assert (group, name) == ("edgekit.layers", "onnx")
        return [Entry(value) for value in values]

    monkeypatch.setattr(layers, "entry_points", found)


@pytest.fixture
def bundle(tiny_bundle):
    return edgekit.open_bundle(tiny_bundle())


def test_the_provider_gets_the_files_of_both_variants(bundle, monkeypatch):
    origin = {"model": GraphOrigin(1, (LayerNoise("conv0", "Conv", "int8", 40.0, None),))}
    told, calls = [], []

    def provider(reference, candidate, feeds, advance):
        calls.append((reference, candidate, feeds))
        advance()
        return origin

    provide(monkeypatch, provider)
    int8, fp16 = bundle.manifest.variants
    feeds = {"model": [{"image": np.zeros((1, 8, 8, 3), np.uint8)}]}
    found = layers.layer_origins((bundle, fp16), (bundle, int8), feeds, lambda: told.append(1))
    assert found == origin
    assert told == [1]
    reference, candidate, given = calls[0]
    assert given is feeds
    assert reference["model"].read_bytes() == bundle.read("fp16/model.onnx")
    assert candidate["model"].read_bytes() == bundle.read("int8/model.onnx")


def test_a_device_is_told_what_it_lacks(bundle, monkeypatch):
    provide(monkeypatch)
    variant = bundle.manifest.variants[0]
    with pytest.raises(EnvironmentLacks, match="edgekit-export") as caught:
        layers.layer_origins((bundle, variant), (bundle, variant), {})
    assert caught.value.remedy == "pip install edgekit-export"


def test_what_cannot_be_compared(bundle):
    variant = bundle.manifest.variants[0]
    model = variant.models["model"]
    tflite = replace(variant, models={"model": replace(model, path="int8/model.tflite", format="tflite")})
    with pytest.raises(UsageError, match="expected ONNX models on both sides, got onnx and tflite"):
        layers.layer_origins((bundle, variant), (bundle, tflite), {})
    pages = replace(variant, models={"detect": model, "recognize": model})
    with pytest.raises(UsageError, match=r"has the graphs model, tiny.edge detect, recognize"):
        layers.layer_origins((bundle, variant), (bundle, pages), {})


def test_feeds_are_what_the_graphs_are_given(tiny_bundle):
    task = edgekit.load(tiny_bundle())
    frames = [np.full((16, 16, 3), value, np.uint8) for value in (3, 200)]
    feeds = layers.feeds_of(task, frames)
    assert [feed["image"].shape for feed in feeds["model"]] == [(1, 8, 8, 3)] * 2
    assert [int(feed["image"].max()) for feed in feeds["model"]] == [3, 200]
    assert layers.feeds_of(task, []) == {}
