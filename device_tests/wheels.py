"""Which wheels a device gets: edgekit's own, built from this checkout, and what it depends on, for aarch64.

The versions are those of the running environment, so that host and devices differ in their processor alone.
"""

from __future__ import annotations

import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from device_tests.unavailable import Unavailable, call

ROOT_DISTRIBUTION = "edgekit"
EXTRAS = ("", "litert", "text", "pillow")  # of edgekit that devices get; "" is what everybody gets
DEVICE_MARKERS = {
    "platform_machine": "aarch64",
    "platform_system": "Linux",
    "sys_platform": "linux",
}
GLIBC_MINORS = range(36, 16, -1)  # Debian 12 has glibc 2.36; wheels for older ones run there
INSTALL_TIMEOUT_S = 300
BUILD_TIMEOUT_S = 180


def pinned_requirements() -> tuple[str, ...]:
    """What edgekit with :data:`EXTRAS` needs at run time, all the way down, as ``name==version`` of what runs here.

    Raises:
        Unavailable: edgekit or something that it needs is not installed here.
    """
    pins: dict[str, str] = {}
    waiting = [ROOT_DISTRIBUTION]
    while waiting:
        name = waiting.pop()
        try:
            needed = [Requirement(text) for text in requires(name) or ()]
            pins[name] = f"{name}=={version(name)}"
        except PackageNotFoundError as error:
            raise Unavailable(f"{name} is not installed in {sys.prefix}") from error
        extras = EXTRAS if name == ROOT_DISTRIBUTION else ("",)
        wanted = (
            r
            for r in needed
            if r.marker is None or any(r.marker.evaluate(DEVICE_MARKERS | {"extra": e}) for e in extras)
        )
        waiting.extend(name for r in wanted if (name := canonicalize_name(r.name)) not in pins)
    del pins[ROOT_DISTRIBUTION]
    return tuple(pins[name] for name in sorted(pins))


def install(requirements: tuple[str, ...], python_version: str, target: Path) -> None:
    """Unpacks aarch64 wheels into a folder.

    Raises:
        Unavailable: a wheel for this Python or platform does not exist or cannot be downloaded.
    """
    abi = "cp" + python_version.replace(".", "")
    platforms = [f"manylinux_2_{minor}_aarch64" for minor in GLIBC_MINORS] + ["manylinux2014_aarch64"]
    command = [
        *_pip(), "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:", "--target", str(target),
        "--python-version", python_version, "--implementation", "cp",
        *(part for name in (abi, "abi3", "none") for part in ("--abi", name)),
        *(part for name in platforms for part in ("--platform", name)),
        *requirements,
    ]  # fmt: skip
    call(command, INSTALL_TIMEOUT_S)


def install_for(python: Path, requirements: tuple[str, ...]) -> None:
    """Installs into the environment of another interpreter of this machine, wheels only.

    Raises:
        Unavailable: a wheel does not exist for it or cannot be downloaded.
    """
    options = ("install", "--quiet", "--no-compile", "--only-binary=:all:")
    call([*_pip(), "--python", str(python), *options, *requirements], INSTALL_TIMEOUT_S)


def build(repository: Path, scratch: Path) -> Path:
    """Builds edgekit's wheel from a checkout, without network.

    Args:
        repository: its root.
        scratch: folder that receives the wheel.

    Returns:
        The wheel, which runs on any platform.

    Raises:
        Unavailable: the build backend is not installed here.
        RuntimeError: the checkout cannot be built, which is a fault of the checkout.
    """
    if find_spec("hatchling") is None:
        raise Unavailable(f"{sys.executable} has no hatchling, which builds the wheel; make test installs it")
    command = [*_pip(), "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(scratch)]
    try:
        call([*command, str(repository)], BUILD_TIMEOUT_S)
    except Unavailable as error:
        raise RuntimeError(f"edgekit's wheel cannot be built: {error}") from error
    (wheel,) = scratch.glob("*.whl")
    if not wheel.name.endswith("-py3-none-any.whl"):
        raise RuntimeError(f"{wheel.name}: expected a wheel for any platform, py3-none-any")
    return wheel


def unpack(wheel: Path, target: Path) -> None:
    """Installs a wheel without scripts or compiled files, which is the same as unpacking it."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)


def supported_python(repository: Path, python_version: str) -> bool:
    """Tells whether edgekit's ``requires-python`` admits a version such as ``3.11``."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return SpecifierSet(project["requires-python"]).contains(f"{python_version}.0")


def _pip() -> list[str]:
    """pip of the running interpreter.

    Raises:
        Unavailable: it has none.
    """
    if find_spec("pip") is None:
        raise Unavailable(f"{sys.executable} has no pip, which fetches the wheels for aarch64")
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
