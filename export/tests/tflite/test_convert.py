import numpy as np
import pytest

from edgekit.errors import ModelError, UsageError
from edgekit_export.convert.session import session_of
from export.tests.tflite.conftest import PICTURE, SIZE, WITHOUT, convert


def test_it_computes_what_torch_and_onnx_do(twins):
    from edgekit_export.tflite.tap import session_of_tflite

    session, other = session_of_tflite(twins.data), session_of(twins.full)
    assert [(spec.name, spec.dtype, spec.shape) for spec in session.inputs] == [
        ("image", "uint8", (1, SIZE, SIZE, 3))
    ]
    assert [(spec.name, spec.shape) for spec in session.outputs] == [("scores", (1, 5))]
    for feed in twins.feeds[:8]:
        expected = other.run(feed)[0]
        np.testing.assert_allclose(session.run(feed)[0], expected, atol=1e-4 * np.abs(expected).max())


def test_the_same_network_gives_the_same_bytes(twins):
    assert convert(twins.network) == twins.data


def test_operators_are_fused_and_few(twins):
    from edgekit_export.tflite.flatbuffer import read_tflite

    graph = read_tflite(twins.data, "twins")
    kinds = [graph.kind(op) for op in graph.operators]
    assert kinds[:5] == [
        "CAST",
        "SUB",
        "PAD",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
    ]  # no MUL: the scale is in the weight
    assert kinds[-1] == "FULLY_CONNECTED"
    assert len(kinds) == 16


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda torch, x: x.median(-1)[0], r"no form for operator aten\.median\.dim"),
        (lambda torch, x: torch.fft.fft2(x).abs(), r"no form for operator aten\._to_copy"),
        (lambda torch, x: x if x.sum() > 0 else -x, "cannot convert this network: Could not guard"),
    ],
)
def test_what_it_cannot_convert_is_named(capfd, function, message):
    torch = pytest.importorskip("torch")

    class Network(torch.nn.Module):
        def forward(self, x):
            return function(torch, x)

    with pytest.raises(ModelError, match=message) as caught:
        convert(Network())
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_dynamic_side_is_refused():
    pytest.importorskip("litert_torch", reason=WITHOUT)
    from edgekit_export.tflite.convert import convert_torch

    with pytest.raises(UsageError, match="one input size"):
        convert_torch(None, (1, 3, 0, 0), PICTURE, ["scores"])
