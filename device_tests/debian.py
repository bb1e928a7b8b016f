"""Debian packages of any architecture, unpacked into a folder of our own.

apt downloads from the machine's own sources into a private state, dpkg unpacks; nothing is installed, no root is
needed, and no foreign architecture is added to the system.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from device_tests.unavailable import Unavailable, call

UPDATE_TIMEOUT_S = 120
DOWNLOAD_TIMEOUT_S = 300
UNPACK_TIMEOUT_S = 60


def suite() -> str:
    """Distribution and suite of this machine, such as ``debian bookworm``."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    return " ".join(said.get(key, "").strip('"') for key in ("ID", "VERSION_CODENAME")).strip() or "unknown"


def native_architecture() -> str:
    """Debian's name of this machine's architecture, such as ``amd64``.

    Raises:
        Unavailable: not a Debian-like machine.
    """
    for tool in ("apt-get", "apt-config", "dpkg"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not installed: the emulated devices are made of Debian packages")
    return call(["dpkg", "--print-architecture"], UNPACK_TIMEOUT_S).strip()


def fetch(packages: Sequence[str], architecture: str, root: Path, scratch: Path) -> None:
    """Downloads packages with all that they depend on and unpacks them.

    Args:
        packages: names; a trailing ``-`` leaves one out, as apt understands it.
        architecture: Debian's name, such as ``arm64``.
        root: folder that becomes the root of the packages' files.
        scratch: folder for apt's state and downloads; the caller removes it.

    Raises:
        Unavailable: no network, no such package or architecture, no space.
    """
    env = {**os.environ, "APT_CONFIG": str(_configure(architecture, scratch)), "LC_ALL": "C"}
    # Any error: by default a list that cannot be had is only a warning, and the packages are missing later on.
    call(["apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update"], UPDATE_TIMEOUT_S, env)
    call(["apt-get", "install", "--yes", "--download-only", *packages], DOWNLOAD_TIMEOUT_S, env)
    archives = sorted((scratch / "cache" / "archives").glob("*.deb"))
    if not archives:
        raise Unavailable(f"apt downloaded nothing for {' '.join(packages)}")
    _unpack(archives, root)


def _configure(architecture: str, scratch: Path) -> Path:
    """An apt configuration with empty state: everything counts as missing, so everything is downloaded.

    The machine's own download settings (proxies, checks) stay; its hooks do not run.
    """
    for folder in ("lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "status").touch()
    settings = [
        line
        for line in call(
            ["apt-config", "dump", "--format", '%F "%v";%n', "Acquire"], UNPACK_TIMEOUT_S
        ).splitlines()
        if line.startswith("Acquire::") and '""' not in line and "IndexTargets" not in line
    ]
    config = scratch / "apt.conf"
    config.write_text(
        "\n".join([
            *settings,
            f'APT::Architecture "{architecture}";',
            f'APT::Architectures {{"{architecture}";}};',
            'APT::Install-Recommends "false";',
            'APT::Sandbox::User "root";',  # its own user may not read a private folder
            'Acquire::Languages "none";',
            f'Dir::State::Lists "{scratch}/lists";',
            f'Dir::State::status "{scratch}/status";',
            f'Dir::Cache "{scratch}/cache";',
            'Dir::Etc::Parts "/dev/null";',
            'Dir::Etc::Main "/dev/null";',
            "",
        ]),
        encoding="utf-8",
    )  # fmt: skip
    return config


def _unpack(archives: Iterable[Path], root: Path) -> None:
    root.mkdir(parents=True)
    for archive in archives:
        call(["dpkg", "-x", str(archive), str(root)], UNPACK_TIMEOUT_S)
    shutil.rmtree(root / "usr" / "share", ignore_errors=True)  # manuals and time zones
    for name in ("bin", "lib", "lib64", "sbin"):  # suites with a merged /usr leave these to another package
        if not (root / name).exists() and (root / "usr" / name).is_dir():
            (root / name).symlink_to(Path("usr") / name)
