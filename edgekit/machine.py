"""What machine this is, as reports and benchmarks name it. Reads files only; nothing is run."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

CPUINFO = Path("/proc/cpuinfo")
KERNEL_FEATURES = frozenset(
    [
        "sse4_1",
        "avx",
        "avx2",
        "fma",
        "f16c",
        "avx512f",
        "avx512vl",
        "avx512_vnni",
        "avx_vnni",
        "amx_int8",
        "asimd",
        "asimdhp",
        "asimddp",
        "i8mm",
        "bf16",
        "sve",
    ]
)
"""CPU features that choose other kernels in the engines, and with them other rounding."""

COMPUTING = (
    "edgekit",
    "onnxruntime",
    "ai-edge-litert",
    "tflite-runtime",
    "numpy",
    "opencv-python-headless",
    "opencv-python",
)
"""Distributions whose versions a figure depends on; a machine has some of them."""

_ARM_PARTS = {"0xd03": "Cortex-A53", "0xd08": "Cortex-A72", "0xd0b": "Cortex-A76"}


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The machine that a figure was measured on.

    Attributes:
        model: board or processor name.
        architecture: ``x86_64``, ``aarch64``.
        cores: cores this process may use.
        features: CPU features that matter to the engines, sorted.
        python: Python's version.
        versions: distribution → version of what computes.
    """

    model: str
    architecture: str
    cores: int
    features: tuple[str, ...]
    python: str
    versions: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """All fields as plain JSON values."""
        return {**msgspec.to_builtins(self), "features": list(self.features)}

    def __str__(self) -> str:
        return f"{self.model} ({self.architecture}, {self.cores} cores)"


def this_machine(cpuinfo: Path = CPUINFO) -> Machine:
    """Reads what this machine is.

    Args:
        cpuinfo: the kernel's processor list; a test passes its own.
    """
    text = cpuinfo.read_text(errors="replace") if cpuinfo.is_file() else ""
    return Machine(
        model=_model(text),
        architecture=platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        features=_features(text),
        python=platform.python_version(),
        versions=installed(*COMPUTING),
    )


def cpu_features(cpuinfo: Path = CPUINFO) -> tuple[str, ...]:
    """The processor's features that choose other kernels in the engines, sorted.

    Args:
        cpuinfo: the kernel's processor list; a test passes its own.
    """
    return _features(cpuinfo.read_text(errors="replace") if cpuinfo.is_file() else "")


def _features(cpuinfo: str) -> tuple[str, ...]:
    return tuple(sorted(KERNEL_FEATURES & set(_field(cpuinfo, "flags", "Features").split())))


def give_memory_back() -> None:
    """Lets the C library return what was freed to the system: after weights were arranged anew, a tenth of a process.

    Does nothing where the library has no such function (glibc has).
    """
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def installed(*distributions: str) -> dict[str, str]:
    """Versions of those of the distributions that are installed."""
    from importlib.metadata import PackageNotFoundError, version  # takes as long as numpy's core

    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _field(cpuinfo: str, *names: str) -> str:
    for name in names:
        match = re.search(rf"^{name}\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
        if match:
            return match[1].strip()
    return ""


def _model(cpuinfo: str) -> str:
    part = _field(cpuinfo, "CPU part")
    return (
        _field(cpuinfo, "Model", "model name")
        or _ARM_PARTS.get(part, part)
        or platform.processor()
        or "unknown"
    )
