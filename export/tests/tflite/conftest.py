"""A small network as ONNX and as TFLite; skips where what makes or reads TFLite is not installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import pytest

from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.from_torch import export_torch
from edgekit_export.convert.normalize import normalize
from export.tests.quantize.networks import pictures

SIZE = 16
PICTURE = Picture((127.0,) * 3, (64.0,) * 3, SIZE, SIZE)
WITHOUT = "make export-env installs the TFLite converter"


@dataclass(frozen=True)
class Twins:
    """One network: in torch, as normalised ONNX, as TFLite, and pictures for it."""

    network: Any
    full: onnx.ModelProto
    data: bytes
    feeds: list[dict[str, np.ndarray]]


def convert(network, outputs=("scores",), picture=PICTURE):
    """The network as TFLite, for a picture of SIZE; skips without the converter."""
    pytest.importorskip("litert_torch", reason=WITHOUT)
    from edgekit_export.tflite.convert import convert_torch

    return convert_torch(network, (1, 3, SIZE, SIZE), picture, outputs)


def gated_residual():
    """Stem, depthwise, two branches added, squeeze and excite with hard swish, pooling, linear; uneven channels."""
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
            self.depthwise = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.ReLU6())
            self.left, self.right = nn.Conv2d(8, 16, 1), nn.Conv2d(8, 16, 1)
            self.gate = nn.Conv2d(16, 16, 1)
            self.linear = nn.Linear(16, 5)

        def forward(self, x):
            x = self.depthwise(self.stem(x))
            x = torch.relu(self.left(x) + self.right(x))
            x = nn.functional.hardswish(x) * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
            return self.linear(x.mean((2, 3)))

    generator = torch.Generator().manual_seed(0)
    network = Network().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
        network.stem[1].weight.copy_(torch.exp(torch.randn(8, generator=generator)))
    return network


def patches():
    """A vision transformer's first layers: patches without padding, a hidden layer, their mean."""
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.hidden = nn.Conv2d(3, 8, 4, 4), nn.Conv2d(8, 16, 1)
            self.linear = nn.Linear(16, 5)

        def forward(self, x):
            return self.linear(torch.relu(self.hidden(self.stem(x))).mean((2, 3)))

    generator = torch.Generator().manual_seed(0)
    network = Network().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    return network


@pytest.fixture(scope="session")
def twins():
    network = gated_residual()
    data = convert(network)
    exported = export_torch(network, (1, 3, SIZE, SIZE), output_name="scores")
    return Twins(network, normalize(exported, PICTURE), data, pictures(24))
