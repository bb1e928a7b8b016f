"""Classifiers as TFLite files in bundles, as the writer makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edgekit.bundle.manifest import (
    Card,
    ClassHead,
    Golden,
    ImageInput,
    Lock,
    Manifest,
    Model,
    Normalize,
    PixelOp,
    ResizeStretch,
    Variant,
)
from edgekit.bundle.writer import write_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.tasks.registry import make_task
from edgekit.types import Frame
from edgekit_export.golden import GoldenInput, record
from tests.tflite_files import channel_means

LABELS = "assets/labels.txt"
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Network:
    """A TFLite file and how it is used.

    Attributes:
        data: the file.
        side: of its square input.
        tensors: names of its input and output.
        dtype: what the manifest says of the input; ``divided`` makes it 0 to 1.
        precision: as the manifest has it.
    """

    data: bytes
    side: int
    tensors: tuple[str, str]
    dtype: str
    precision: str
    divided: bool = False
    activation: str = "none"

    def variant(self, name: str) -> Variant:
        """Its manifest entry."""
        ops: tuple[PixelOp, ...] = (ResizeStretch(self.side, self.side),)
        if self.divided:
            ops += (Normalize((0, 0, 0), (255, 255, 255)),)
        image = ImageInput(self.tensors[0], ops, "rgb", self.dtype)  # type: ignore[arg-type]
        head = ClassHead(self.tensors[1], LABELS, self.activation)  # type: ignore[arg-type]
        model = Model(f"{name}/model.tflite", "tflite", image, head)
        recipe = "static_wi8_ai8" if self.precision == "int8" else "fp32"
        return Variant(name, recipe, self.precision, {"model": model}, len(self.data))  # type: ignore[arg-type]


def write_classifier(
    path: Path, networks: Mapping[str, Network], labels: Iterable[str], exact: bool = True
) -> Path:
    """Writes a bundle with a variant for each network, and golden vectors.

    Args:
        path: the bundle; its members are made in a folder beside it.
        networks: variant name → network; the first is the default.
        labels: of the classes.
        exact: whether int8 variants must be equal to the bit, as they are wherever the same library runs.
    """
    folder = path.with_suffix(".members")
    members: dict[str, bytes | Path] = {LABELS: "".join(f"{label}\n" for label in labels).encode()}
    members |= {f"{name}/model.tflite": network.data for name, network in networks.items()}
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    pictures = [_golden(seed) for seed in range(2)]
    variants = tuple(network.variant(name) for name, network in networks.items())
    golden: list[Golden] = []
    for variant in variants:
        task = make_task("classify", path.stem, variant, folder, options=EngineOptions(threads=1))
        entries, probes = record(
            task, variant, pictures, exact={"model": exact and variant.precision == "int8"}
        )
        golden += entries
        members |= probes
    card = Card(path.stem, "classify", "tests", (), "any", ("be relied on",), "Apache-2.0", "tests", 1)
    lock = Lock("tests", {}, "test", None, 0, None, 0, {})
    manifest = Manifest("edgekit-bundle", 1, path.stem, "classify", (), variants, card, lock, tuple(golden))
    write_bundle(path, manifest, members)
    return path


def _golden(seed: int) -> GoldenInput:
    """Smooth colour fields, 80 by 60."""
    fields = np.random.Generator(np.random.PCG64(seed)).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    picture = cv2.resize(fields, (80, 60), interpolation=cv2.INTER_LINEAR_EXACT)
    png = cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()
    return GoldenInput(f"golden/{seed}.png", png, Frame(picture))


def tiny_networks() -> dict[str, Network]:
    """Name the strongest colour, one of :data:`COLOURS`; int8 takes bytes, full precision floats."""
    names = ("image", "scores")
    return {
        "int8": Network(channel_means("int8"), 8, names, "uint8", "int8"),
        "fp32": Network(channel_means(), 8, names, "float32", "fp32"),
    }


def mlperf_networks(name: str, folder: Path) -> tuple[dict[str, Network], tuple[str, ...]]:
    """MLPerf Tiny's trained networks and their labels: ``person`` or none, or ``cifar10`` by ResNet8.

    Args:
        name: which.
        folder: ``mlperf_tiny`` of the test data.
    """
    labels, files, options = {
        "person": (
            ("no person", "person"),
            ("vww_96_int8.tflite", "vww_96_float.tflite"),
            {"side": 96, "dtype": "float32", "divided": True},
        ),
        "cifar10": (
            CIFAR10,
            ("pretrainedResnet_quant.tflite", "pretrainedResnet.tflite"),
            {"side": 32, "dtype": "uint8"},
        ),
    }[name]
    int8, fp32 = ((folder / file).read_bytes() for file in files)
    return {
        "int8": Network(int8, tensors=("input_1_int8", "Identity_int8"), precision="int8", **options),
        "fp32": Network(
            fp32, tensors=("input_1", "Identity"), precision="fp32", **options | {"dtype": "float32"}
        ),
    }, labels
