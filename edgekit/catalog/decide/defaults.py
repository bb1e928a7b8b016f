"""The assumptions that hold where nobody says otherwise, and where each of them comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from edgekit.catalog.decide.assumptions import (
    Around,
    Assumptions,
    Cascade,
    Generalist,
    Gpu,
    OnDevice,
    Pipeline,
    Server,
    Specialist,
    Vlm,
    flat,
)
from edgekit.catalog.devices import DEVICES, Device, device_of


@dataclass(frozen=True, slots=True)
class Small:
    """A specialist for one modality.

    Attributes:
        parameters: of it.
        operations: multiply-accumulates of one input.
        source: of both.
    """

    parameters: int
    operations: float
    source: str


SPECIALISTS: Final[Mapping[str, Small]] = MappingProxyType(
    {
        "image": Small(3_151_904, 4.35e9, "YOLOv8n at 640 x 640, 8.7 GFLOP: docs.ultralytics.com"),
        "text": Small(
            22_713_216, 1.4e9, "MiniLM-L6 with 128 tokens: 10.6 million in its layers, by the tokens"
        ),
        "sound": Small(
            72_593_920, 60e9, "Whisper base with 30 s of sound: arXiv 2212.04356; operations assumed"
        ),
    }
)
"""Modality → the specialist that is assumed for it; of several modalities each has its own."""

_RUNTIME_BYTES = 150e6
_INTERPRETER_BYTES = 100e3  # on a microcontroller
_DEVICE_FIGURES = (
    "fp32_macs_per_s",
    "fp16_macs_per_s",
    "int8_macs_per_s",
    "bandwidth_bytes_per_s",
    "memory_bytes",
    "watts_idle",
    "watts_busy",
    "price_usd",
)
_GPU_FIGURES = _DEVICE_FIGURES[:-1]
_SMOLVLM = (
    "SmolVLM-256M: tower 86 million, decoder's layers and head 135 million, 64 tokens a tile of 512 x 512"
)
_MOE = "Qwen3-235B-A22B, arXiv 2505.09388: 128 experts, 8 a token"
_ACCURACY = "assumed: measure it on your own inputs (edgekit validate)"
_PRECISIONS = "fp32, fp16, int8, int4"
_HOSTED = "assumed: a dense model of 70 billion"

_SOURCES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "device.name": ("", "asked"),
        "device.accessories_usd": ("USD", "assumed: power supply, card, case; a camera is needed anyway"),
        "device.lifetime_months": ("months", "assumed"),
        "device.upkeep_usd_a_month": ("USD a month", "assumed: updates, and visits to a few of many"),
        "device.busy_share": ("of the time", "assumed: what it can keep without throttling or queues"),
        "device.overhead_ms": ("ms", "assumed: from the camera to the model, and the result"),
        "device.p99_factor": ("times p50", "assumed"),
        "device.usable_memory": ("of it", "assumed"),
        "device.runtime_bytes": (
            "bytes",
            "assumed: Python, onnxruntime and OpenCV; an interpreter on a microcontroller",
        ),
        "specialist.precision": (_PRECISIONS, "assumed"),
        "specialist.accuracy": ("of results right", _ACCURACY),
        "vlm.parameters": ("", "SmolVLM-256M, with its head apart from its embedding"),
        "vlm.decoder_parameters": ("a token", _SMOLVLM),
        "vlm.tower_operations": ("a picture", "SmolVLM-256M: about 0.2 TFLOP a tile, one tile"),
        "vlm.picture_tokens": ("tokens", _SMOLVLM),
        "vlm.prompt_tokens": ("tokens", "assumed"),
        "vlm.answer_tokens": ("tokens", "assumed: a short answer"),
        "vlm.precision": (_PRECISIONS, "assumed"),
        "vlm.takes": ("", "SmolVLM's card"),
        "vlm.accuracy": ("of results right", _ACCURACY),
        "cascade.trigger_share": ("of inputs", "assumed: measure it on a day's recording"),
        "cascade.answers_on": ("device or server", "assumed"),
        "cascade.accuracy": ("of results right", _ACCURACY),
        "pipeline.stages_ms": ("ms", "assumed: reads a page, then finds its fields"),
        "pipeline.usd_a_call": ("USD", "assumed"),
        "pipeline.memory_bytes": ("bytes", "assumed"),
        "pipeline.watts": ("W", "assumed: two of a server's 16 cores"),
        "pipeline.accuracy": ("of results right", _ACCURACY),
        "dense.parameters": ("", _HOSTED),
        "dense.active_parameters": ("a token", "computed: all of them"),
        "dense.experts": ("a layer", "dense"),
        "dense.top_k": ("a token", "dense"),
        "moe.parameters": ("", _MOE),
        "moe.active_parameters": ("a token", _MOE),
        "moe.experts": ("a layer", _MOE),
        "moe.top_k": ("a token", _MOE),
        "gpu.usable_memory": ("of it", "assumed"),
        "gpu.usd_an_hour": ("USD", "assumed: an H200 by the hour"),
        "gpu.used_share": ("of the time", "assumed: paid for, and used"),
        "server.network_p50_ms": (
            "ms",
            "assumed: a round trip from Wi-Fi or LTE, the picture's way included",
        ),
        "server.network_p99_ms": ("ms", "assumed"),
        "server.p99_factor": ("times p50", "assumed: queues"),
        "around.usd_a_kwh": ("USD", "assumed"),
        "around.days_a_month": ("days", "convention"),
        "around.paramount_within": ("of results", "assumed: as good as the most accurate option"),
    }
)
_OF_A_GENERALIST: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "hot_device": ("times its part", "assumed: load of the device with the most popular experts"),
        "precision": (_PRECISIONS, "assumed"),
        "prompt_tokens": ("tokens", "assumed: a picture and a question"),
        "answer_tokens": ("tokens", "assumed"),
        "concurrent": ("calls", "assumed: in one batch"),
        "cache_bytes_a_call": (
            "bytes",
            "assumed: keys and values of 1,050 tokens, 80 layers of 8 x 128 in fp16",
        ),
        "gpus": ("a number or computed", "computed: as many as hold the weights and the cache"),
        "ms": ("ms, or computed", "computed: roofline of prompt and answer"),
        "usd_a_call": ("USD, or computed", "computed: the hours of its GPUs"),
        "takes": ("", "assumed"),
        "accuracy": ("of results right", _ACCURACY),
    }
)
_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "memory_bytes": "bytes",
        "watts_idle": "W",
        "watts_busy": "W",
        "price_usd": "USD",
        "bandwidth_bytes_per_s": "bytes a second",
    }
)


def default_assumptions(device: str, modalities: Sequence[str]) -> Assumptions:
    """What is assumed of a device, a specialist for these modalities, and everything else.

    Raises:
        UsageError: no such device.
    """
    small = [SPECIALISTS[modality] for modality in modalities]
    sees = "image" in modalities
    runtime = _INTERPRETER_BYTES if device == "microcontroller" else _RUNTIME_BYTES
    return Assumptions(
        device=OnDevice(name=device, runtime_bytes=runtime, **_figures(device_of(device), _DEVICE_FIGURES)),
        specialist=Specialist(sum(s.parameters for s in small), sum(s.operations for s in small)),
        vlm=Vlm() if sees else Vlm(tower_operations=0.0, picture_tokens=0),
        cascade=Cascade(),
        pipeline=Pipeline(),
        dense=Generalist(),
        moe=Generalist(
            parameters=235_000_000_000,
            active_parameters=22_000_000_000,
            experts=128,
            top_k=8,
            hot_device=1.3,
        ),
        gpu=Gpu(**_figures(DEVICES["server-gpu"], _GPU_FIGURES)),
        server=Server(),
        around=Around(),
    )


def default_sources(device: str, modalities: Sequence[str]) -> dict[str, tuple[str, str]]:
    """``section.figure`` → its unit, and where its default comes from; of every assumption."""
    found = dict(_SOURCES)
    for figure in _DEVICE_FIGURES:
        found[f"device.{figure}"] = (_unit(figure), device_of(device).sources[figure])
    for figure in _GPU_FIGURES:
        found[f"gpu.{figure}"] = (_unit(figure), DEVICES["server-gpu"].sources[figure])
    for section in ("dense", "moe"):
        found |= {f"{section}.{figure}": note for figure, note in _OF_A_GENERALIST.items()}
    small = "; ".join(SPECIALISTS[modality].source for modality in modalities)
    found |= {"specialist.parameters": ("", small), "specialist.operations": ("an input", small)}
    return {key: found[key] for key in flat(default_assumptions(device, modalities))}


def _figures(device: Device, names: Sequence[str]) -> dict[str, Any]:
    return {name: float(getattr(device, name)) for name in names}


def _unit(figure: str) -> str:
    return _UNITS.get(figure, "a second")
