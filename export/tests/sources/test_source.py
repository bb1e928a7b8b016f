import numpy as np
import onnx
import pytest

from edgekit.bundle.manifest import ClassHead, DbHead, ImageInput, ResizeStretch
from edgekit_export.convert.session import session_of
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.onnx_file import onnx_framework
from edgekit_export.sources.source import source_graph

CLASSES = ClassHead(tensor="scores", labels="assets/labels.txt", activation="none")
MAP = DbHead(
    tensor="map", threshold=0.3, box_threshold=0.5, unclip_ratio=1.6, min_side=3, max_regions=10, dilate=False
)


def spec(head):
    ops = (ResizeStretch(width=16, height=16),)
    return SourceModel(
        shape=(1, 3, 16, 16), input=ImageInput(tensor="image", color="rgb", ops=ops), head=head
    )


@pytest.fixture
def probabilities(small_classifier):
    """The classifier with a softmax at its end."""
    model = small_classifier()
    model.graph.node.append(onnx.helper.make_node("Softmax", ["logits"], ["shares"]))
    model.graph.output[0].name = "shares"
    return model


def test_a_softmax_at_the_end_becomes_the_heads(probabilities):
    graph = source_graph(probabilities, spec(CLASSES), onnx_framework(probabilities), "0" * 64)
    assert (graph.cut, graph.spec.head.activation) == ("softmax", "softmax")
    x = np.random.default_rng(0).normal(size=(1, 3, 16, 16)).astype(np.float32)
    (logits,), (wanted,) = session_of(graph.model, threads=1).run({"input": x}), graph.framework({"image": x})
    raised = np.exp(logits - logits.max())
    np.testing.assert_allclose(raised / raised.sum(), wanted, atol=1e-6)


def test_graphs_without_one_and_detectors_stay(small_classifier, probabilities):
    for model, head in ((small_classifier(), CLASSES), (probabilities, MAP)):
        graph = source_graph(model, spec(head), onnx_framework(model), "0" * 64)
        assert graph.cut == "none"
        assert graph.spec.head is head
        assert graph.model is model
