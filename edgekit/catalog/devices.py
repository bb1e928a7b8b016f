"""Devices that a model may run on: what they sustain, hold, draw and cost, each figure with its source.

What a device sustains is no peak: it is the geometric mean of what published networks reach there (their
multiply-accumulates through their published time), so that an estimate errs to both sides.
``tests/catalog/published.py`` holds those times, and a test the means. Where none is published, the figure is
assumed, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final, Protocol

from edgekit.errors import UsageError

ASSUMED: Final = "assumed"
"""How a source begins that is nobody's measurement or data sheet."""


class Rates(Protocol):
    """What something sustains: a :class:`Device`, or what is assumed of one."""

    @property
    def fp32_macs_per_s(self) -> float:
        """Multiply-accumulates of float32 weights."""

    @property
    def fp16_macs_per_s(self) -> float:
        """Of float16 weights."""

    @property
    def int8_macs_per_s(self) -> float:
        """Of 8-bit and 4-bit weights."""

    @property
    def bandwidth_bytes_per_s(self) -> float:
        """At which weights are read."""


def macs_per_s(rates: Rates, precision: str) -> float:
    """Multiply-accumulates a second with weights of this precision.

    Raises:
        UsageError: another precision than ``fp32``, ``fp16``, ``int8`` and ``int4``.
    """
    sustained = {
        "fp32": rates.fp32_macs_per_s,
        "fp16": rates.fp16_macs_per_s,
        "int8": rates.int8_macs_per_s,
        "int4": rates.int8_macs_per_s,
    }
    if precision not in sustained:
        raise UsageError(f"precision {precision!r}", f"expected one of {', '.join(sustained)}")
    return sustained[precision]


@dataclass(frozen=True, slots=True)
class Device:
    """A device, all of its cores together, at temperatures it can keep.

    Attributes:
        name: as ``--device`` has it.
        what: for a person.
        cores: that compute.
        fp32_macs_per_s: multiply-accumulates of float32 weights that it sustains.
        fp16_macs_per_s: of float16 weights: as float32 on processors, which compute in it.
        int8_macs_per_s: of 8-bit weights, and of 4-bit ones, which are computed as such.
        bandwidth_bytes_per_s: at which weights are read.
        memory_bytes: of the whole device.
        watts_idle: drawn while it waits.
        watts_busy: drawn while all cores compute.
        price_usd: of the bare device.
        sources: name of every other figure → where it comes from, or ``assumed: …``.
    """

    name: str
    what: str
    cores: int
    fp32_macs_per_s: float
    fp16_macs_per_s: float
    int8_macs_per_s: float
    bandwidth_bytes_per_s: float
    memory_bytes: int
    watts_idle: float
    watts_busy: float
    price_usd: float
    sources: Mapping[str, str]

    def __post_init__(self) -> None:
        missing = {field.name for field in fields(self)} - {"name", "what", "sources"} - {*self.sources}
        if missing:
            raise ValueError(
                f"device {self.name}: expected a source of every figure, none of {sorted(missing)}"
            )

    def macs_per_s(self, precision: str) -> float:
        """Multiply-accumulates a second with weights of this precision.

        Raises:
            UsageError: another precision than ``fp32``, ``fp16``, ``int8`` and ``int4``.
        """
        return macs_per_s(self, precision)


_AS_FP32 = "processors compute it in float32"

_PI4 = Device(
    name="pi4",
    what="Raspberry Pi 4 B, 4 GB",
    cores=4,
    fp32_macs_per_s=6.3e9,
    fp16_macs_per_s=6.3e9,
    int8_macs_per_s=15e9,
    bandwidth_bytes_per_s=2.8e9,
    memory_bytes=4 * 10**9,
    watts_idle=2.7,
    watts_busy=6.4,
    price_usd=55,
    sources={
        "cores": "Broadcom BCM2711: four Cortex-A72",
        "fp32_macs_per_s": "mean of 10 published times (XNNPACK, ncnn): 22 % of its 28.8e9 at 1.8 GHz",
        "fp16_macs_per_s": _AS_FP32,
        "int8_macs_per_s": "mean of 6 published times (TFLite, ncnn): 26 % of its 57.6e9; it has no dot product",
        "bandwidth_bytes_per_s": "published, of copying",
        "memory_bytes": "raspberrypi.com",
        "watts_idle": "pidramble.com, power consumption: 540 mA at 5 V",
        "watts_busy": "pidramble.com, power consumption: 1,280 mA at 5 V with all cores busy",
        "price_usd": "raspberrypi.com, list price at launch; no power supply, card or case",
    },
)

_PI5 = Device(
    name="pi5",
    what="Raspberry Pi 5, 8 GB",
    cores=4,
    fp32_macs_per_s=30e9,
    fp16_macs_per_s=30e9,
    int8_macs_per_s=122e9,
    bandwidth_bytes_per_s=9e9,
    memory_bytes=8 * 10**9,
    watts_idle=2.7,
    watts_busy=8.0,
    price_usd=80,
    sources={
        "cores": "Broadcom BCM2712: four Cortex-A76",
        "fp32_macs_per_s": "mean of 9 published times (ExecuTorch, ncnn, OpenVINO, onnxruntime): 39 % of its 76.8e9",
        "fp16_macs_per_s": _AS_FP32,
        "int8_macs_per_s": "mean of 2 published times (ExecuTorch): 40 % of its 307e9 with dot products",
        "bandwidth_bytes_per_s": "published, of reading",
        "memory_bytes": "raspberrypi.com",
        "watts_idle": "assumed: reviewers read 2.5 to 4.7 W",
        "watts_busy": "assumed: reviewers read 7 to 14 W at the plug, the most with peripherals",
        "price_usd": "raspberrypi.com, list price at launch; no power supply, card or case",
    },
)

_PI_ZERO_2 = Device(
    name="pi-zero-2",
    what="Raspberry Pi Zero 2 W",
    cores=4,
    fp32_macs_per_s=3.0e9,
    fp16_macs_per_s=3.0e9,
    int8_macs_per_s=6.5e9,
    bandwidth_bytes_per_s=1.6e9,
    memory_bytes=512 * 2**20,
    watts_idle=0.6,
    watts_busy=2.5,
    price_usd=15,
    sources={
        "cores": "RP3A0: four Cortex-A53 at 1.0 GHz",
        "fp32_macs_per_s": "mean of 7 published times (ncnn) of a Pi 3 B+, the same cores at 1.4 GHz, by the clock",
        "fp16_macs_per_s": _AS_FP32,
        "int8_macs_per_s": "mean of 5 published times (ncnn) of a Pi 3 B+, the same cores at 1.4 GHz, by the clock",
        "bandwidth_bytes_per_s": "assumed: less than a half of what its 32 bits of LPDDR2 can do",
        "memory_bytes": "raspberrypi.com",
        "watts_idle": "cnx-software.com, 2021-12-09: 120 mA at 5 V",
        "watts_busy": "assumed: 500 mA at 5 V",
        "price_usd": "raspberrypi.com, list price at launch; no power supply, card or case",
    },
)

_PHONE = Device(
    name="phone",
    what="flagship phone of 2024 (Snapdragon 8 Gen 3), its processor alone",
    cores=8,
    fp32_macs_per_s=60e9,
    fp16_macs_per_s=120e9,
    int8_macs_per_s=243e9,
    bandwidth_bytes_per_s=23e9,
    memory_bytes=12 * 10**9,
    watts_idle=0.5,
    watts_busy=6.0,
    price_usd=400,
    sources={
        "cores": "qualcomm.com",
        "fp32_macs_per_s": "assumed: a quarter of int8's, as its peaks are",
        "fp16_macs_per_s": "assumed: a half of int8's; Armv8.2 has half-precision arithmetic",
        "int8_macs_per_s": "Gemma 3 1B on an S24 Ultra, published: 243 tokens a second of prefill",
        "bandwidth_bytes_per_s": "Gemma 3 1B on an S24 Ultra, published: 43.6 tokens a second of 529 MB",
        "memory_bytes": "samsung.com, S24 Ultra",
        "watts_idle": "assumed: screen off",
        "watts_busy": "assumed: all cores, before it throttles",
        "price_usd": "assumed: of the middle range, or used",
    },
)

_LAPTOP = Device(
    name="laptop",
    what="laptop of 2023: x86, 4 fast cores with AVX2 and VNNI",
    cores=4,
    fp32_macs_per_s=90e9,
    fp16_macs_per_s=90e9,
    int8_macs_per_s=210e9,
    bandwidth_bytes_per_s=40e9,
    memory_bytes=16 * 10**9,
    watts_idle=5.0,
    watts_busy=28.0,
    price_usd=900,
    sources={
        "cores": ASSUMED,
        "fp32_macs_per_s": "assumed: 60 % of four times a server's core (see server-cpu)",
        "fp16_macs_per_s": _AS_FP32,
        "int8_macs_per_s": "assumed: 60 % of four times a server's core (see server-cpu)",
        "bandwidth_bytes_per_s": "assumed: a half of two channels of DDR5-4800",
        "memory_bytes": ASSUMED,
        "watts_idle": ASSUMED,
        "watts_busy": "assumed: the power that processors of this class are specified for",
        "price_usd": ASSUMED,
    },
)

_SERVER_CPU = Device(
    name="server-cpu",
    what="server, 16 cores of x86 with AVX-512 VNNI",
    cores=16,
    fp32_macs_per_s=355e9,
    fp16_macs_per_s=355e9,
    int8_macs_per_s=830e9,
    bandwidth_bytes_per_s=150e9,
    memory_bytes=128 * 10**9,
    watts_idle=100.0,
    watts_busy=350.0,
    price_usd=6000,
    sources={
        "cores": ASSUMED,
        "fp32_macs_per_s": "37e9 on one core (docs/decisions/latency.md); 16 of them, assumed at 60 %",
        "fp16_macs_per_s": _AS_FP32,
        "int8_macs_per_s": "86e9 on one core (docs/decisions/latency.md); 16 of them, assumed at 60 %",
        "bandwidth_bytes_per_s": "assumed: a half of eight channels of DDR5-4800",
        "memory_bytes": ASSUMED,
        "watts_idle": ASSUMED,
        "watts_busy": ASSUMED,
        "price_usd": ASSUMED,
    },
)

_SERVER_GPU = Device(
    name="server-gpu",
    what="server with one NVIDIA H200",
    cores=132,
    fp32_macs_per_s=20e12,
    fp16_macs_per_s=200e12,
    int8_macs_per_s=400e12,
    bandwidth_bytes_per_s=2.9e12,
    memory_bytes=141 * 10**9,
    watts_idle=250.0,
    watts_busy=1000.0,
    price_usd=45000,
    sources={
        "cores": "nvidia.com, H200: streaming multiprocessors",
        "fp32_macs_per_s": "assumed: 60 % of the data sheet's 67 TFLOPS",
        "fp16_macs_per_s": "assumed: 40 % of the data sheet's 989 TFLOPS without sparsity",
        "int8_macs_per_s": "assumed: 40 % of the data sheet's 1,979 TOPS without sparsity",
        "bandwidth_bytes_per_s": "assumed: 60 % of the data sheet's 4.8 TB/s",
        "memory_bytes": "nvidia.com, H200",
        "watts_idle": "assumed: the card and its share of the machine",
        "watts_busy": "assumed: the data sheet's 700 W, and 300 W of the machine around it",
        "price_usd": "assumed: the card and its share of the machine",
    },
)

_MICROCONTROLLER = Device(
    name="microcontroller",
    what="Cortex-M7 at 280 MHz (STM32H7A3)",
    cores=1,
    fp32_macs_per_s=40e6,
    fp16_macs_per_s=40e6,
    int8_macs_per_s=168e6,
    bandwidth_bytes_per_s=0.5e9,
    memory_bytes=1_400_000,
    watts_idle=0.01,
    watts_busy=0.14,
    price_usd=15,
    sources={
        "cores": "st.com, STM32H7A3ZI",
        "fp32_macs_per_s": "assumed: a quarter of int8's",
        "fp16_macs_per_s": _AS_FP32,
        "int8_macs_per_s": "mean of 4 times of MLPerf Tiny 1.1 (Krai, X-CUBE-AI 8.0)",
        "bandwidth_bytes_per_s": "assumed: half a word of 4 bytes a cycle, from flash",
        "memory_bytes": "st.com, STM32H7A3ZI: 1.4 MB, beside 2 MB of flash for the weights",
        "watts_idle": "assumed: stopped between inputs it draws less",
        "watts_busy": "MLPerf Tiny 1.1 (Krai, X-CUBE-AI 8.0): 6.9 mJ x 19.9 a second of person detection",
        "price_usd": ASSUMED,
    },
)

DEVICES: Final[Mapping[str, Device]] = MappingProxyType(
    {
        device.name: device
        for device in (
            _PI4,
            _PI5,
            _PI_ZERO_2,
            _PHONE,
            _LAPTOP,
            _SERVER_CPU,
            _SERVER_GPU,
            _MICROCONTROLLER,
        )
    }
)
"""Name → device."""


def device_of(name: str) -> Device:
    """The device with this name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    if name not in DEVICES:
        raise UsageError(f"device: got {name!r}", f"choose from {', '.join(DEVICES)}")
    return DEVICES[name]
