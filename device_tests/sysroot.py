"""Everything that an emulated device is made of, in one cache folder.

::

    CACHE/<digest>/qemu/…       qemu-user for this machine, with its own libraries
    CACHE/<digest>/roots/pi4/…  CPython for arm64 and aarch64 wheels (opt/site), as a Cortex-A72
    CACHE/<digest>/roots/pi5/…  the same files by hard link, as a Cortex-A76
    CACHE/<digest>/roots/avx2/… nothing but what Linux says of an x86 processor with AVX2 and without VNNI

The digest covers what went in, so a change makes another folder. Folders are made beside and renamed, by one
process at a time: what has a final name is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_tests import cpus, debian, wheels
from device_tests.emulator import Device
from device_tests.unavailable import Unavailable, call

REPOSITORY = Path(__file__).resolve().parents[1]
LAYOUT = 2  # raise it when the making changes in a way that the digest cannot see
EMULATOR_PACKAGES = ("qemu-user",)
EMULATORS = ("qemu-aarch64", "qemu-x86_64")
PYTHON_PACKAGES = ("python3", "libstdc++6", "libgomp1", "zlib1g", "ca-certificates-")
SITE = Path("opt/site")
LIBRARY_FOLDERS = ("lib/*-linux-gnu", "usr/lib/*-linux-gnu")
WARM_UP_TIMEOUT_S = 120
WARM_UP = (
    "import numpy, cv2, onnxruntime, ai_edge_litert.interpreter, tokenizers, PIL.Image, msgspec, rich.console, "
    "rich.table, rich.progress, argparse, json"
)
LAUNCHER = "emulated-python"


@dataclass(frozen=True, slots=True)
class Sysroot:
    """A finished cache folder.

    Attributes:
        folder: where it lies.
        python_version: of the emulated interpreter, such as ``3.11``.
    """

    folder: Path
    python_version: str

    def device(self, cpu: cpus.Cpu, site: Path, home: Path) -> Device:
        """A device with this processor.

        Args:
            cpu: one of :data:`device_tests.cpus.CPUS`.
            site: folder with edgekit's unpacked wheel.
            home: an empty folder of its own.
        """
        root = self.folder / "roots" / cpu.name
        return Device(cpu.name, self.python(cpu.model, root), (site, root / SITE), home)

    def older_x86(self, site: Path, home: Path) -> Device:
        """This machine's own Python on an x86 processor without VNNI."""
        emulator = emulate(self.folder / "qemu", "qemu-x86_64", cpus.AVX2_MODEL)
        return Device(
            cpus.AVX2,
            (*emulator, "-L", str(self.folder / "roots" / cpus.AVX2), sys.executable),
            (site,),
            home,
        )

    def python(self, model: str, root: Path) -> tuple[str, ...]:
        """The command that starts the interpreter below ``root`` on qemu's processor ``model``.

        The interpreter takes its launcher for itself, so that ``sys.executable`` is something that the host can start.
        """
        emulator, programs = emulate(self.folder / "qemu", "qemu-aarch64", model), root / "usr" / "bin"
        started = programs / LAUNCHER, programs / f"python{self.python_version}"
        return (*emulator, "-0", str(started[0]), "-L", str(root), str(started[1]))

    def write_launcher(self, cpu: cpus.Cpu) -> None:
        """A script that starts the interpreter on ``cpu``, wherever the cache folder is moved."""
        root = self.folder / "roots" / cpu.name
        command = [part.replace(str(self.folder), "$base") for part in self.python(cpu.model, root)]
        path = root / "usr" / "bin" / LAUNCHER
        words = " ".join(f'"{part}"' for part in command)
        script = f'#!/bin/sh\nbase=$(cd "$(dirname "$0")/../../../.." && pwd)\nexec {words} "$@"\n'
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)


def emulate(qemu: Path, program: str, model: str) -> tuple[str, ...]:
    """The command that runs a program on qemu's processor ``model``; the program and its arguments follow.

    qemu is started by the loader and with the libraries that were unpacked with it, so nothing of the system's.
    """
    (loader,) = qemu.glob("lib/*-linux-gnu/ld-linux-*.so.*")
    libraries = [str(path) for pattern in LIBRARY_FOLDERS for path in qemu.glob(pattern)]
    program_path = str(qemu / "usr" / "bin" / program)
    return str(loader), "--library-path", os.pathsep.join(libraries), program_path, "-cpu", model


def default_cache() -> Path:
    """``.cache/arm`` in the repository, or what ``EDGEKIT_ARM_CACHE`` says."""
    return Path(os.environ.get("EDGEKIT_ARM_CACHE", REPOSITORY / ".cache" / "arm")).resolve()


def prepare(cache: Path) -> Sysroot:
    """Gives the cache folder for this machine and environment; makes it if need be, in about half a minute.

    Raises:
        Unavailable: the reason why there can be none here.
    """
    contents = _contents()
    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:16]
    final = cache / digest
    with _lock(cache):
        if not final.is_dir():
            _clear_leftovers(cache)
            building = Path(tempfile.mkdtemp(prefix="building-", dir=cache))
            try:
                _make(building, contents)
                building.rename(final)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    return Sysroot(final, _python_version(final / "roots" / cpus.CPUS[0].name))


def _contents() -> dict[str, Any]:
    """All that decides what the folder holds."""
    return {
        "layout": LAYOUT,
        "suite": debian.suite(),
        "architecture": debian.native_architecture(),
        "packages": [*EMULATOR_PACKAGES, *PYTHON_PACKAGES],
        "wheels": wheels.pinned_requirements(),
        "cpus": {cpu.name: cpus.identity(cpu) for cpu in cpus.CPUS} | {cpus.AVX2: cpus.AVX2_CPUINFO},
    }


def _make(folder: Path, contents: dict[str, Any]) -> None:
    first, *others = cpus.CPUS
    first_root = folder / "roots" / first.name
    first_root.parent.mkdir()
    with tempfile.TemporaryDirectory(prefix="apt-", dir=folder.parent) as scratch:
        debian.fetch(EMULATOR_PACKAGES, contents["architecture"], folder / "qemu", Path(scratch) / "native")
        debian.fetch(PYTHON_PACKAGES, "arm64", first_root, Path(scratch) / "arm64")
    for program in (folder / "qemu" / "usr" / "bin").iterdir():
        if program.name not in EMULATORS:
            program.unlink()
    python_version = _python_version(first_root)
    if not wheels.supported_python(REPOSITORY, python_version):
        raise Unavailable(f"{contents['suite']} has Python {python_version}, which edgekit does not support")
    wheels.install(contents["wheels"], python_version, first_root / SITE)
    (folder / "contents.json").write_text(json.dumps(contents, indent=1), encoding="utf-8")
    cpus.show(first_root, first)
    _warm_up(Sysroot(folder, python_version), first)
    for cpu in others:
        cpus.overlay(first_root, folder / "roots" / cpu.name, cpu)
    for cpu in cpus.CPUS:
        Sysroot(folder, python_version).write_launcher(cpu)
    (folder / "roots" / cpus.AVX2 / "proc").mkdir(parents=True)
    (folder / "roots" / cpus.AVX2 / "proc" / "cpuinfo").write_text(cpus.AVX2_CPUINFO, encoding="utf-8")


def _warm_up(sysroot: Sysroot, cpu: cpus.Cpu) -> None:
    """Imports what every test imports: proves that it runs, and leaves bytecode, which halves the next start."""
    root = sysroot.folder / "roots" / cpu.name
    env = {"PYTHONPATH": str(root / SITE), "ORT_DISABLE_TELEMETRY": "1", "PATH": os.defpath}
    call([*sysroot.python(cpu.model, root), "-c", WARM_UP], WARM_UP_TIMEOUT_S, env)


def _python_version(root: Path) -> str:
    found = sorted(path.name for path in (root / "usr" / "bin").glob("python3.*") if path.name[8:].isdigit())
    if len(found) != 1:
        raise Unavailable(f"expected one Python in the arm64 packages, got {', '.join(found) or 'none'}")
    return found[0].removeprefix("python")


@contextmanager
def _lock(cache: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process, however it ends."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _clear_leftovers(cache: Path) -> None:
    """Removes what killed processes left; the caller holds the lock."""
    for pattern in ("building-*", "apt-*"):
        for path in cache.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)
