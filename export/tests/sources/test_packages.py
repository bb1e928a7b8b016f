import hashlib
import subprocess
import zipfile

import pytest

from edgekit.errors import DataError, EnvironmentLacks, ModelError
from edgekit_export.recipe import Package
from edgekit_export.sources import packages


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing/model.bin", b"weights")
    return path


@pytest.fixture
def pinned(wheel):
    return Package(distribution="thing", version="1.0", sha256=packages.file_sha256(wheel))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packages"


class FakePip:
    """Stands in for pip: puts a file where ``-d`` says, or fails."""

    def __init__(self, monkeypatch, wheel=None, stderr="", returncode=0):
        self.wheel, self.stderr, self.returncode, self.calls = wheel, stderr, returncode, []
        monkeypatch.setattr(packages.subprocess, "run", self)

    def __call__(self, command, **_):
        self.calls.append(command)
        if self.wheel is not None:
            target = command[command.index("-d") + 1]
            (packages.Path(target) / self.wheel.name).write_bytes(self.wheel.read_bytes())
        return subprocess.CompletedProcess(command, self.returncode, "", self.stderr)


def test_fetched_once_then_from_the_cache(monkeypatch, cache, wheel, pinned):
    pip = FakePip(monkeypatch, wheel)
    first, second = packages.fetch(pinned), packages.fetch(pinned)
    assert first == second == cache / pinned.sha256 / wheel.name
    assert len(pip.calls) == 1
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:"} <= set(pip.calls[0])
    assert not list(cache.glob(".fetch-*"))


def test_a_damaged_cache_is_fetched_again(monkeypatch, cache, wheel, pinned):
    pip = FakePip(monkeypatch, wheel)
    packages.fetch(pinned).write_bytes(b"rot")
    assert packages.fetch(pinned).read_bytes() == wheel.read_bytes()
    assert len(pip.calls) == 2


def test_one_of_several_wheels_is_named(monkeypatch, cache, wheel, pinned):
    pip = FakePip(monkeypatch, wheel)
    packages.fetch(
        Package(
            distribution="thing",
            version="1.0",
            sha256=pinned.sha256,
            platform="manylinux2014_x86_64",
            python="3.11",
        )
    )
    command = pip.calls[0]
    assert command[command.index("--platform") + 1] == "manylinux2014_x86_64"
    assert command[command.index("--python-version") + 1] == "3.11"


def test_another_hash_is_refused(monkeypatch, cache, pinned):
    FakePip(monkeypatch, stderr="ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", returncode=1)
    with pytest.raises(DataError, match="another hash than the pinned"):
        packages.fetch(pinned)


def test_a_pip_that_does_not_check_is_checked(monkeypatch, cache, wheel):
    FakePip(monkeypatch, wheel)
    with pytest.raises(DataError, match="expected SHA-256 0000"):
        packages.fetch(Package(distribution="thing", version="1.0", sha256="0" * 64))
    assert not list(cache.rglob("*.whl"))


def test_no_network(monkeypatch, cache, pinned):
    FakePip(
        monkeypatch, stderr="WARNING: retrying\nERROR: No matching distribution found for thing", returncode=1
    )
    with pytest.raises(EnvironmentLacks, match="No matching distribution"):
        packages.fetch(pinned)


def test_too_slow(monkeypatch, cache, pinned):
    def slow(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(packages.subprocess, "run", slow)
    with pytest.raises(EnvironmentLacks, match="not fetched within"):
        packages.fetch(pinned)


def test_no_pip(monkeypatch, cache, pinned):
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentLacks, match="pip is needed"):
        packages.fetch(pinned)


def test_members(wheel):
    digest = hashlib.sha256(b"weights").hexdigest()
    assert packages.read_member(wheel, "thing/model.bin", digest) == b"weights"
    with pytest.raises(DataError, match="has no file thing/gone"):
        packages.read_member(wheel, "thing/gone")
    with pytest.raises(ModelError, match="expected SHA-256 1111"):
        packages.read_member(wheel, "thing/model.bin", "1" * 64)
