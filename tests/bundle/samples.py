"""Small real bundles for tests: a classifier of 4 classes whose ONNX file is written as raw protobuf bytes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from msgspec.structs import replace

from edgekit.bundle.check import variant_bytes
from edgekit.bundle.manifest import (
    Card,
    ClassHead,
    Drop,
    Evidence,
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

DIGEST = "ab" * 32
LABELS = b"cat\ndog\nbird\nfish\n"
MODEL_PATH = "models/int8/model.onnx"
WEIGHTS_PATH = "models/int8/weights.bin"
WEIGHTS = bytes(range(64))


def varint(value: int) -> bytes:
    """Protobuf varint, minimal."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes | str) -> bytes:
    """One protobuf field: a varint, or length-delimited bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def entry(key: str, value: str) -> bytes:
    """StringStringEntryProto."""
    return field(1, key) + field(2, value)


def tensor(name: str = "w", dims: tuple[int, ...] = (4, 4), dtype: int = 1, *parts: bytes) -> bytes:
    """TensorProto; ``parts`` are further fields, zeros as raw data by default."""
    head = b"".join(field(1, dim) for dim in dims) + field(2, dtype) + field(8, name)
    return head + (b"".join(parts) if parts else field(9, bytes(64)))


def external(location: str = "weights.bin", **numbers: int | str) -> bytes:
    """Fields of a TensorProto whose data lie in another file."""
    entries = [entry("location", location), *(entry(key, str(value)) for key, value in numbers.items())]
    return b"".join(field(13, one) for one in entries) + field(14, 1)


def value_info(name: str, *shape: int) -> bytes:
    """ValueInfoProto of a float tensor."""
    dims = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def node(operator: str = "MatMul", *attributes: bytes) -> bytes:
    """NodeProto ``y = operator(x, w)``."""
    head = field(1, "x") + field(1, "w") + field(2, "y") + field(4, operator)
    return head + b"".join(field(5, attribute) for attribute in attributes)


def graph(*parts: bytes) -> bytes:
    """GraphProto ``y = MatMul(x, w)``; ``parts`` are further fields."""
    head = (
        field(1, node()) + field(2, "g") + field(11, value_info("x", 1, 4)) + field(12, value_info("y", 1, 4))
    )
    return head + b"".join(parts)


def model(graph_bytes: bytes, *parts: bytes) -> bytes:
    """ModelProto of IR version 8, opset 17."""
    return (
        field(1, 8) + field(2, "edgekit") + field(7, graph_bytes) + field(8, field(2, 17)) + b"".join(parts)
    )


def onnx_inline() -> bytes:
    """A model with its weights inside."""
    return model(graph(field(5, tensor())))


def onnx_external(*parts: bytes) -> bytes:
    """A model with its weights in ``weights.bin``; ``parts`` replaces the tensor's further fields."""
    return model(graph(field(5, tensor("w", (4, 4), 1, *(parts or (external(offset=0, length=64),))))))


def png(width: int = 2, height: int = 2) -> bytes:
    """A grey RGB picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80" * 3 * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def one_model(**changes: object) -> Model:
    """The sample's graph."""
    image = ImageInput("x", (ResizeStretch(2, 2),), "rgb")
    base = Model(MODEL_PATH, "onnx", image, ClassHead("y", "labels.txt", "softmax"), (WEIGHTS_PATH,))
    return replace(base, **changes)


def drop(**changes: object) -> Drop:
    """A measured drop of 0.3 points."""
    return replace(Drop("top1", 0.3, (-0.1, 0.7), 0.95, 1000, "image"), **changes)


def members(**changes: bytes | Path) -> dict[str, bytes | Path]:
    """Members of the sample; keyword ``model``, ``weights``, ``labels``, ``picture``, ``probe`` replace one."""
    return {
        MODEL_PATH: changes.get("model", onnx_external()),
        WEIGHTS_PATH: changes.get("weights", WEIGHTS),
        "labels.txt": changes.get("labels", LABELS),
        "golden/0.png": changes.get("picture", png()),
        "golden/0.bin": changes.get("probe", bytes(16)),
    }


def sizes(content: dict[str, bytes | Path]) -> dict[str, int]:
    """Member path → bytes."""
    return {path: len(v) if isinstance(v, bytes) else v.stat().st_size for path, v in content.items()}


def manifest(content: dict[str, bytes | Path] | None = None, **changes: object) -> Manifest:
    """A complete manifest, ``files`` left to the writer; ``changes`` replace its parts."""
    graph_model = one_model()
    total = variant_bytes([graph_model], sizes(content or members()))
    variant = Variant("int8", "static_wi8_ai8", "int8", {"model": graph_model}, total, drop())
    expected = Expected("model", "y", "float32", (1, 4), DIGEST, "golden/0.bin", 1e-3)
    base = Manifest(
        format="edgekit-bundle",
        version=1,
        name="pets",
        task="classify",
        files=(),
        variants=(variant,),
        card=Card(
            title="Pets",
            task="classify",
            domain="photos of pets",
            languages=(),
            input_range="one animal, in daylight",
            cannot=("tell breeds apart", "see at night"),
            license="Apache-2.0",
            source="made for tests",
            parameters=16,
        ),
        lock=Lock(
            "sample",
            {"w.bin": DIGEST},
            "static_wi8_ai8",
            DIGEST,
            64,
            DIGEST,
            1000,
            {"onnx": "1.23.2"},
            precisions=("int8",),
            formats=("onnx",),
            recipes={
                "int8": {
                    "model": {
                        "mode": "int8",
                        "samples": 160,
                        "damping": 0.3,
                        "correct_bias": True,
                        "wide": ("conv0", "conv1"),
                        "modes": {"scores": "half"},
                    }
                }
            },
            options={"normalize": "0to1"},
            cpu_features=("avx2", "fma"),
        ),
        golden=(Golden("int8", "golden/0.png", (expected,), "0", 0.25),),
        evidence=(
            Evidence(
                "int8",
                "pets-val",
                DIGEST,
                drop(),
                0.99,
                24.5,
                "PASS",
                1.0,
                "onnxruntime 1.31.1",
                "x86-64",
                ("avx2",),
            ),
        ),
    )
    return replace(base, **changes)


def write_sample(path: Path, **changes: object) -> Path:
    """Writes the sample bundle; ``changes`` replace parts of its manifest."""
    write_bundle(path, manifest(**changes), members())
    return path
