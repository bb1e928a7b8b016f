"""Processors that a bundle is made for: what their integer instructions can do, and what a layer costs on them.

The costs are counts of instructions that onnxruntime 1.31.1 spends on single layers: 22 layers of EfficientNet's and
ResNet's shapes in float32 and as uint8 × int8 codes, run by qemu 7.2 with a plugin that counts (they repeat exactly).
How many instructions a cycle retires, a count cannot say; see each target, and ``docs/decisions/latency.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from edgekit.errors import UsageError
from edgekit.machine import Machine

Arithmetic = Literal["float32", "int8"]


class Kind(StrEnum):
    """How a layer's kernel goes over its input."""

    POINTWISE = "pointwise"
    """1×1 convolution, Gemm, MatMul: a product of matrices."""
    SPATIAL = "spatial"
    """Convolution of a larger window."""
    NARROW = "narrow"
    """The same with at most 16 input channels a group: a picture's, or a grouped convolution's."""
    DEPTHWISE = "depthwise"
    """One input channel a group."""
    DEPTHWISE_3X3 = "depthwise_3x3"
    """The same of 3×3 at stride 1, for which onnxruntime has a float kernel on ARM."""
    DEPTHWISE_STRIDED = "depthwise_strided"
    """The same of any window that goes along a row in steps of more than 1."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Instructions of one core.

    Attributes:
        mac: of each multiply-accumulate.
        output: of each output value.
        row: of each product of a weight and a row: of each multiply-accumulate in the output's first column.
    """

    mac: float
    output: float
    row: float = 0.0


Costs = Mapping[tuple[Kind, Arithmetic], Cost]


@dataclass(frozen=True, slots=True)
class Target:
    """A processor.

    Attributes:
        name: as ``--target`` has it.
        processor: for a person.
        clock_hz: of every core.
        cores: that one operator may use.
        instructions_per_cycle: that a core retires while all cores compute.
        read_bytes_per_s: at which weights come from memory, all cores together.
        dot_product: sums four products of 8-bit integers in 32 bits by one instruction.
        saturates: sums two products of uint8 and int8 in 16 bits, unless the engine takes slower kernels.
        slow_s8s8: int8 activations with int8 weights take longer than float32.
        costs: kind of layer and arithmetic → cost.
    """

    name: str
    processor: str
    clock_hz: float
    cores: int
    instructions_per_cycle: float
    read_bytes_per_s: float
    dot_product: bool
    saturates: bool
    slow_s8s8: bool
    costs: Costs


def _costs(float32: tuple[Cost, ...], int8: tuple[Cost, ...]) -> Costs:
    """Both in the order of :class:`Kind`."""
    table: dict[tuple[Kind, Arithmetic], Cost] = {}
    for kind, plain, coded in zip(Kind, float32, int8, strict=True):
        table[kind, "float32"], table[kind, "int8"] = plain, coded
    return MappingProxyType(table)


# FMLA and the float kernels are the same on both boards. Without a kernel of its own, a depthwise convolution copies
# its input once for each weight, row by row, and is then a product of matrices of one row a channel.
_ARM_FLOAT = (
    Cost(0.328, 1.5),
    Cost(0.408, 10),
    Cost(0.55, 4),
    Cost(2.1, 0, row=48),
    Cost(1.44, 0, row=19),
    Cost(7.4, 0, row=26),
)
_ARM_DEPTHWISE = (Cost(0.65, 2.5),) * 3  # int8, of any window and stride

PI4 = Target(
    name="pi4",
    processor="Cortex-A72 (Raspberry Pi 4)",
    clock_hz=1.8e9,  # raspberrypi.com, BCM2711 since revision 1.4; 1.5e9 before
    cores=4,
    # MobileNetV2 in float32 takes 44 ms here and 10.9 ms on a Pi 5 (published for XNNPACK, and ExecuTorch by it): three
    # times the cycles. The A72 starts one 128-bit FMLA a cycle, the A76 two (Arm's software optimisation guides
    # UAN 0016A and PJDOC-466751330-7215), so twice at the least.
    instructions_per_cycle=0.28,
    read_bytes_per_s=2.8e9,  # published, of copying
    dot_product=False,
    saturates=False,
    slow_s8s8=True,  # 2.7 to 3.0 multiply-accumulates an instruction, float32 3.0, uint8 × int8 3.1 to 3.8
    costs=_costs(_ARM_FLOAT, (Cost(0.253, 6.5), Cost(0.303, 14), Cost(0.427, 14), *_ARM_DEPTHWISE)),
)

PI5 = Target(
    name="pi5",
    processor="Cortex-A76 (Raspberry Pi 5)",
    clock_hz=2.4e9,  # raspberrypi.com, BCM2712
    cores=4,
    # onnxruntime's YOLO11n (6.5 GFLOP, 168 ms) and YOLO26n (5.4 GFLOP, 127 ms) at 640×640, published for a Pi 5, at the
    # 2.5 multiply-accumulates an instruction that such layers have here: 0.81 and 0.89.
    instructions_per_cycle=0.85,
    read_bytes_per_s=9e9,  # published, of reading
    dot_product=True,  # SDOT, UDOT: 16 products each, two a cycle (PJDOC-466751330-7215)
    saturates=False,
    slow_s8s8=False,  # 6 % fewer instructions than uint8 × int8
    costs=_costs(_ARM_FLOAT, (Cost(0.103, 4.5), Cost(0.105, 12), Cost(0.297, 10), *_ARM_DEPTHWISE)),
)

# Not counted, since qemu 7.2 has no AVX-512: shortest times of the same layers on one core of an AMD EPYC with AVX-512
# VNNI, in cycles of its nominal clock.
X86 = Target(
    name="x86",
    processor="x86 with AVX-512 VNNI",
    clock_hz=2.6e9,
    cores=2,
    instructions_per_cycle=1.0,
    read_bytes_per_s=70e9,  # the classifier's 5 MB of weights, from the last cache
    dot_product=True,
    saturates=False,
    slow_s8s8=True,  # onnxruntime does not fuse it on x86: 1.1 to 1.5 times float32's time, depthwise 3 to 8 times
    costs=_costs(
        (Cost(0.052, 0.8), Cost(0.047, 0.5), Cost(0.057, 0.26), *[Cost(0.073, 1.2)] * 3),
        (Cost(0.016, 0.34), Cost(0.016, 0.5), Cost(0.1, 0.16), *[Cost(0.117, 0.4)] * 3),
    ),
)

AVX2 = Target(
    name="avx2",
    processor="x86 with AVX2, without VNNI",
    clock_hz=2.5e9,  # assumed, as the next one: a laptop of 2015
    cores=2,
    instructions_per_cycle=2.0,  # Haswell starts two FMA a cycle, each with its load
    read_bytes_per_s=10e9,
    dot_product=False,
    saturates=True,
    slow_s8s8=True,  # 2.3 to 3.0 multiply-accumulates an instruction, float32 3.8 to 4.4
    costs=_costs(  # int8 by the kernels that do not saturate (docs/arm.md)
        (Cost(0.237, 2.5), Cost(0.197, 10), Cost(0.252, 5), *[Cost(0.7, 5)] * 3),
        (Cost(0.195, 5), Cost(0.19, 20), Cost(0.356, 12), *[Cost(1.25, 5)] * 3),
    ),
)

TARGETS: Mapping[str, Target] = MappingProxyType({t.name: t for t in (PI4, PI5, X86, AVX2)})
_VNNI = frozenset({"avx512_vnni", "avx_vnni"})


def target_of(name: str) -> Target:
    """The target with this name.

    Raises:
        UsageError: there is none.
    """
    if name not in TARGETS:
        raise UsageError(f"target: got {name!r}", f"choose from {', '.join(TARGETS)}")
    return TARGETS[name]


def target_here(machine: Machine) -> Target:
    """The target that is most like a machine: by its architecture, and whether it has dot products of 8-bit integers.

    Where the system does not tell its features (it is no Linux), it is taken to have none.
    """
    if machine.architecture.lower() in ("aarch64", "arm64"):
        return PI5 if "asimddp" in machine.features else PI4
    return X86 if _VNNI & {*machine.features} else AVX2
