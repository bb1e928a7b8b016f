import numpy as np
import onnx
import pytest

from edgekit.bundle.manifest import ClassHead, ImageInput, Normalize, ResizeStretch
from edgekit_export import staging
from edgekit_export.convert.session import session_of
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.source import SourceGraph


@pytest.fixture
def graph(small_classifier):
    spec = SourceModel(
        shape=(1, 3, 16, 16),
        input=ImageInput(
            tensor="x",
            ops=(ResizeStretch(16, 16), Normalize((0.0,) * 3, (255.0,) * 3)),
            color="bgr",
            dtype="float32",
            layout="nchw",
        ),
        head=ClassHead("scores", "assets/labels.txt", "softmax"),
    )
    return SourceGraph(small_classifier(), spec, lambda x: [x], "0" * 64)


def test_small_models_stay_in_one_file(tmp_path, graph):
    stage = staging.Staging(tmp_path, {"assets/labels.txt": b"a\nb\nc\n"})
    variant = stage.add("fp32", "full_precision", "fp32", {"model": graph.model}, {"model": graph})
    model = variant.models["model"]
    assert (model.path, model.external) == ("fp32/model.onnx", ())
    assert variant.bytes == (tmp_path / "fp32/model.onnx").stat().st_size
    assert (tmp_path / "assets/labels.txt").read_bytes() == b"a\nb\nc\n"
    assert set(stage.members((variant,))) == {"assets/labels.txt", "fp32/model.onnx"}


def test_the_folded_normalisation_leaves_the_declared_input(tmp_path, graph):
    variant = staging.Staging(tmp_path, {}).add("int8", "r", "int8", {"model": graph.model}, {"model": graph})
    declared = variant.models["model"].input
    assert declared == ImageInput(tensor="image", ops=(ResizeStretch(16, 16),), color="bgr")


def test_large_models_keep_their_weights_beside_them(tmp_path, graph, monkeypatch):
    monkeypatch.setattr(staging, "EXTERNAL_FROM_BYTES", 100)
    monkeypatch.setattr(staging, "EXTERNAL_TENSOR_BYTES", 16)
    stage = staging.Staging(tmp_path, {})
    variant = stage.add("fp32", "r", "fp32", {"model": graph.model}, {"model": graph})
    model = variant.models["model"]
    assert model.external == ("fp32/model.onnx.data",)
    assert variant.bytes == sum((tmp_path / p).stat().st_size for p in (model.path, *model.external))
    again = onnx.load(str(tmp_path / model.path))
    x = np.random.default_rng(0).normal(size=(1, 3, 16, 16)).astype(np.float32)
    np.testing.assert_array_equal(
        session_of(again).run({"input": x})[0], session_of(graph.model).run({"input": x})[0]
    )
    first = {p: (tmp_path / p).read_bytes() for p in (model.path, *model.external)}
    stage.add("fp32", "r", "fp32", {"model": graph.model}, {"model": graph})
    assert first == {p: (tmp_path / p).read_bytes() for p in first}, "written again, the same bytes"
