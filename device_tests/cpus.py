"""The processors that are emulated, and how Linux describes them.

Libraries choose their kernels by ``/proc/cpuinfo`` and ``/sys/devices/system/cpu``. qemu emulates instructions only,
and would show those of the host, so each processor gets a root folder of its own with these files in it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

CORES = 4
BASE_FEATURES = "fp asimd evtstrm crc32 cpuid"
A76_FEATURES = (
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
)


@dataclass(frozen=True, slots=True)
class Cpu:
    """A processor as a device shows it.

    Attributes:
        name: of the device, as tests call it.
        model: qemu's name of the processor.
        board: what the device tree calls the device.
        part: ``CPU part`` of MIDR_EL1; the implementer is Arm (0x41).
        variant: ``CPU variant`` of MIDR_EL1.
        revision: ``CPU revision`` of MIDR_EL1.
        features: HWCAP names in the kernel's order. ``asimddp`` is the dot product that int8 kernels look for.
        max_khz: highest frequency.
    """

    name: str
    model: str
    board: str
    part: int
    variant: int
    revision: int
    features: str
    max_khz: int


PI4 = Cpu("pi4", "cortex-a72", "Raspberry Pi 4 Model B Rev 1.4", 0xD08, 0, 3, BASE_FEATURES, 1_800_000)
PI5 = Cpu("pi5", "cortex-a76", "Raspberry Pi 5 Model B Rev 1.0", 0xD0B, 4, 1, A76_FEATURES, 2_400_000)
CPUS = (PI4, PI5)

AVX2 = "avx2"
"""An x86 processor with AVX2 and without VNNI, where products of uint8 and int8 saturate."""

AVX2_MODEL = "Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid"  # less what qemu would complain of
AVX2_FEATURES = "fpu mmx sse sse2 ssse3 sse4_1 sse4_2 popcnt avx f16c fma avx2 bmi1 bmi2"
AVX2_CPUINFO = f"processor\t: 0\nmodel name\t: Intel Core Processor (Haswell)\nflags\t\t: {AVX2_FEATURES}\n\n"


def overlay(base: Path, root: Path, cpu: Cpu) -> None:
    """Makes a root folder that shows ``cpu`` and shares all its other files with ``base`` by hard links."""
    shutil.copytree(base, root, copy_function=os.link, symlinks=True)
    show(root, cpu)


def show(root: Path, cpu: Cpu) -> None:
    """Puts the files that describe a processor into a root folder; files shared with another stay as they are there."""
    for path, text in identity(cpu).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).unlink(missing_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def identity(cpu: Cpu) -> dict[str, str]:
    """Files by which Linux describes a processor, path from the root → content."""
    sys_cpu = "sys/devices/system/cpu"
    everything = f"0-{CORES - 1}\n"
    files = {"proc/cpuinfo": _cpuinfo(cpu), f"{sys_cpu}/kernel_max": "7\n"}
    files |= {f"{sys_cpu}/{name}": everything for name in ("possible", "present", "online")}
    for core in range(CORES):
        folder = f"{sys_cpu}/cpu{core}"
        files |= {
            f"{folder}/topology/physical_package_id": "0\n",
            f"{folder}/topology/core_id": f"{core}\n",
            f"{folder}/topology/core_siblings_list": everything,
            f"{folder}/topology/cluster_cpus_list": everything,
            f"{folder}/cpufreq/cpuinfo_max_freq": f"{cpu.max_khz}\n",
            f"{folder}/cpufreq/cpuinfo_min_freq": "600000\n",
            f"{folder}/cache/index2/level": "2\n",
            f"{folder}/cache/index2/size": "512K\n",
            f"{folder}/cache/index2/shared_cpu_list": everything,
        }
    return files


def _cpuinfo(cpu: Cpu) -> str:
    block = (
        "processor\t: {core}\nBogoMIPS\t: 108.00\n"
        f"Features\t: {cpu.features}\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
        f"CPU variant\t: {cpu.variant:#x}\nCPU part\t: {cpu.part:#x}\nCPU revision\t: {cpu.revision}\n\n"
    )
    return "".join(block.format(core=core) for core in range(CORES)) + f"Model\t\t: {cpu.board}\n"
