"""Fixtures shared by all tests: a real, tiny classifier in a bundle, and where the large test data lies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from edgekit.bundle.manifest import (
    Card,
    ClassHead,
    Expected,
    Golden,
    ImageInput,
    Lock,
    Manifest,
    Model,
    ResizeStretch,
    Variant,
)
from edgekit.bundle.writer import write_bundle
from edgekit.tasks.golden import decision, digest, margin, probe
from edgekit.tasks.registry import make_task
from edgekit.tasks.trace import Trace

LABELS = ("red", "green", "blue")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of the large test data; skips where it is absent."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("EDGEKIT_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"test data absent: {folder} (set EDGEKIT_TEST_DATA)")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundles unpack into a folder of this run, never into the user's cache."""
    base = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(base))


def channel_means(scale: float) -> onnx.ModelProto:
    """uint8 ``(1, 8, 8, 3)`` → ``scale`` times the mean of each channel, ``(1, 3)``."""
    nodes = [
        helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f", "axes"], ["m"], keepdims=0),
        helper.make_node("Mul", ["m", "scale"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 8, 8, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3])],
        [
            numpy_helper.from_array(np.array([1, 2], np.int64), "axes"),
            numpy_helper.from_array(np.array(scale, np.float32), "scale"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _variant(name: str, size: int) -> Variant:
    model = Model(
        path=f"{name}/model.onnx",
        format="onnx",
        input=ImageInput(tensor="image", ops=(ResizeStretch(width=8, height=8),), color="rgb"),
        head=ClassHead(tensor="scores", labels="assets/labels.txt", activation="softmax"),
    )
    return Variant(name=name, recipe="test", precision="fp32", models={"model": model}, bytes=size)


@pytest.fixture
def tiny_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Makes a bundle whose classifier names the strongest colour; two variants, ``int8`` and ``fp16``.

    Keyword arguments: ``name``; ``scales`` of the variants; ``change``, a function over the finished manifest
    (before its files are listed) and the members.
    """

    def make(
        name: str = "tiny",
        scales: tuple[float, float] = (0.1, 0.1),
        change: Callable[[Manifest, dict[str, bytes]], Manifest] = lambda manifest, members: manifest,
    ) -> Path:
        picture = np.zeros((16, 16, 3), np.uint8)
        picture[:, :, 1] = np.arange(16, dtype=np.uint8) * 10 + 90
        members = {
            "assets/labels.txt": "".join(f"{label}\n" for label in LABELS).encode(),
            "golden/0.png": cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes(),
        }
        variants, goldens = [], []
        for variant_name, scale in zip(("int8", "fp16"), scales, strict=True):
            data = channel_means(scale).SerializeToString(deterministic=True)
            members[f"{variant_name}/model.onnx"] = data
            variants.append(_variant(variant_name, len(data)))
        folder = tmp_path / f"members-{name}"
        for path, data in members.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        for variant in variants:
            trace = Trace()
            result = make_task("classify", name, variant, folder)(picture, trace)
            output = trace.calls[0].outputs[0]
            member = f"golden/0.{variant.name}.bin"
            members[member] = probe(output).tobytes()
            expected = Expected("model", "scores", "float32", output.shape, digest(output), member, 0.0)
            goldens.append(
                Golden(
                    variant.name, "golden/0.png", (expected,), decision(result), margin(result, trace.calls)
                )
            )
        manifest = Manifest(
            format="edgekit-bundle",
            version=1,
            name=name,
            task="classify",
            files=(),
            variants=tuple(variants),
            card=Card(
                "Tiny", "classify", "colours", ("en",), "any", ("tell shapes",), "Apache-2.0", "test", 1
            ),
            lock=Lock("test", {}, "test", None, 0, None, 0, {}),
            golden=tuple(goldens),
        )
        path = tmp_path / f"{name}.edge"
        changed = change(manifest, members)
        write_bundle(path, replace(changed, files=()), members)
        return path

    return make
