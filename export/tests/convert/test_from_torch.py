import builtins
import logging

import numpy as np
import pytest

from edgekit.errors import EnvironmentLacks, ModelError
from edgekit_export.convert.from_torch import export_torch
from edgekit_export.convert.normalize import normalize
from export.tests.convert.graphs import noise, ops, run


def test_a_small_network():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layers = [
        torch.nn.Conv2d(3, 4, 3, padding=1),
        torch.nn.BatchNorm2d(4),
        torch.nn.Hardswish(),
        torch.nn.Dropout(0.5),
    ]
    network = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(4 * 36, 2)).train()
    with torch.no_grad():
        network(torch.randn(8, 3, 6, 6) * 3 + 1)  # so that the batch norm has learnt something
    level = logging.getLogger("torch.onnx").level
    model = export_torch(network, (1, 3, 6, 6), "picture", "scores")
    assert logging.getLogger("torch.onnx").level == level
    assert not network.training
    assert ([v.name for v in model.graph.input], [v.name for v in model.graph.output]) == (
        ["picture"],
        ["scores"],
    )
    x = noise(1, 3, 6, 6)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(x)).numpy()
    assert np.abs(wanted - run(model, {"picture": x})[0]).max() < 1e-6
    normal = normalize(model)
    assert np.abs(wanted - run(normal, {"picture": x})[0]).max() < 2e-6
    assert ops(normal)["Conv"] == 1
    assert not {"BatchNormalization", "Identity", "Dropout", "Constant"} & set(ops(normal))


def test_a_network_that_cannot_be_exported():
    torch = pytest.importorskip("torch")

    class Stubborn(torch.nn.Module):
        def forward(self, x):
            raise RuntimeError("not today")

    with pytest.raises(ModelError, match="torch cannot export this network"):
        export_torch(Stubborn(), (1, 3, 4, 4))


@pytest.mark.parametrize("missing", ["torch", "onnxscript"])
def test_what_is_not_installed(monkeypatch, missing):
    real = builtins.__import__

    def without(name, *rest):
        if name.split(".")[0] == missing:
            raise ImportError(f"No module named {missing!r}")
        return real(name, *rest)

    network = None
    if missing != "torch":
        torch = pytest.importorskip("torch")
        network = torch.nn.ReLU()

        def lacking(*_, **__):
            raise ImportError(f"No module named {missing!r}")

        monkeypatch.setattr(torch.onnx, "export", lacking)
    else:
        monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EnvironmentLacks, match=missing):
        export_torch(network, (1, 3, 4, 4))
