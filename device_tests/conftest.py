"""The devices that the tests run on, and the reason where there are none."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import NoReturn

import pytest

from device_tests import cpus, wheels
from device_tests.emulator import Device, this_machine
from device_tests.sysroot import REPOSITORY, Sysroot, default_cache, prepare
from device_tests.unavailable import Unavailable
from tests.conftest import test_data

__all__ = ["test_data"]  # a fixture of both

REQUIRE = os.environ.get("EDGEKIT_DEVICE_TESTS") == "require"
REASONS = pytest.StashKey[list[str]]()
ARM = tuple(cpu.name for cpu in cpus.CPUS)
EMULATED = (*ARM, cpus.AVX2) if platform.machine() == "x86_64" else ARM


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "device: needs an emulated device")
    config.stash[REASONS] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason in config.stash[REASONS]:
        terminalreporter.section("ARM DEVICES WERE NOT TESTED", red=True, bold=True)
        terminalreporter.write_line(reason)
        terminalreporter.write_line("EDGEKIT_DEVICE_TESTS=require makes this a failure.")


def refuse(config: pytest.Config, reason: Unavailable) -> NoReturn:
    """Skips, and says so at the end; fails where the tests are required."""
    if str(reason) not in config.stash[REASONS]:
        config.stash[REASONS].append(str(reason))
    if REQUIRE:
        pytest.fail(f"emulated devices: {reason}", pytrace=False)
    pytest.skip(f"emulated devices: {reason}")


@pytest.fixture(scope="session")
def sysroot(request: pytest.FixtureRequest) -> Sysroot:
    """Everything that the emulated devices are made of."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(
            f"\nemulated devices: {default_cache()}, made in about half a minute if it is not there",
            flush=True,
        )
    try:
        return prepare(default_cache())
    except Unavailable as reason:
        refuse(request.config, reason)


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """edgekit's wheel, built from this checkout and unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    try:
        wheel = wheels.build(REPOSITORY, folder)
    except Unavailable as reason:
        refuse(request.config, reason)
    wheels.unpack(wheel, folder / "site")
    return folder / "site"


@pytest.fixture(scope="session")
def host(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Device:
    """The machine that runs the tests."""
    return this_machine(site, tmp_path_factory.mktemp("host"))


def emulated(name: str, sysroot: Sysroot, site: Path, home: Path) -> Device:
    """An emulated device by its name."""
    if name == cpus.AVX2:
        return sysroot.older_x86(site, home)
    (cpu,) = (cpu for cpu in cpus.CPUS if cpu.name == name)
    return sysroot.device(cpu, site, home)


@pytest.fixture(scope="session")
def boards(sysroot: Sysroot, site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Device]:
    """The emulated ARM boards, by name."""
    return {name: emulated(name, sysroot, site, tmp_path_factory.mktemp(name)) for name in ARM}


@pytest.fixture(scope="session", params=[pytest.param(name, marks=pytest.mark.device) for name in ARM])
def device(request: pytest.FixtureRequest, boards: dict[str, Device]) -> Device:
    """One emulated ARM board after the other."""
    return boards[request.param]


@pytest.fixture(scope="session", params=[pytest.param(name, marks=pytest.mark.device) for name in EMULATED])
def processor(
    request: pytest.FixtureRequest, sysroot: Sysroot, site: Path, tmp_path_factory: pytest.TempPathFactory
) -> Device:
    """The boards and an older x86, one after the other, for what must be the same on every processor."""
    return emulated(request.param, sysroot, site, tmp_path_factory.mktemp(request.param))
