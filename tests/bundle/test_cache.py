from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.bundle import cache
from edgekit.bundle.cache import UNPACKED_AT_S, cache_root, unpacked
from edgekit.bundle.reader import Bundle, open_bundle
from edgekit.errors import BundleError, EnvironmentLacks, OutputError
from tests.bundle.samples import LABELS, MODEL_PATH, WEIGHTS, WEIGHTS_PATH, write_sample

UNPACK = """
import sys
from edgekit.bundle.reader import open_bundle
sys.stdin.readline()
folder = open_bundle(sys.argv[1]).folder()
print(folder, (folder / "labels.txt").read_text().split())
"""


@pytest.fixture
def entry(sample):
    """The sample, unpacked."""
    return open_bundle(sample).folder()


def make_writable(path):
    path.chmod(0o644)
    return path


def test_the_members_lie_in_the_folder(sample, entry, private_cache):
    bundle = open_bundle(sample)
    assert entry == private_cache / "bundles" / bundle.id
    found = {str(p.relative_to(entry)): p.read_bytes() for p in entry.rglob("*") if p.is_file()}
    assert found == {file.path: bundle.read(file.path) for file in bundle.manifest.files}
    assert found[WEIGHTS_PATH] == WEIGHTS


def test_files_are_read_only_and_carry_the_fixed_time(entry):
    for path in entry.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o777 == 0o444
            assert path.stat().st_mtime == UNPACKED_AT_S


def test_unpacked_once(sample, entry, monkeypatch):
    monkeypatch.setattr(cache, "_rebuild", lambda *a: pytest.fail("unpacked again"))
    assert open_bundle(sample).folder() == entry
    assert open_bundle(sample).folder(rehash=True) == entry


@pytest.mark.parametrize(
    "damage",
    [
        lambda e: (e / "labels.txt").unlink(),
        lambda e: make_writable(e / "labels.txt").write_bytes(LABELS[:-1]),
        lambda e: make_writable(e / "labels.txt").write_bytes(LABELS.upper()),
        lambda e: ((e / "labels.txt").unlink(), (e / "labels.txt").symlink_to("/etc/hostname")),
        lambda e: ((e / "labels.txt").unlink(), (e / "labels.txt").mkdir()),
    ],
    ids=["missing", "shorter", "rewritten", "symlink", "folder"],
)
def test_a_damaged_entry_is_made_again(sample, entry, damage):
    damage(entry)
    assert open_bundle(sample).folder() == entry
    assert (entry / "labels.txt").read_bytes() == LABELS
    assert [p.name for p in entry.parent.iterdir() if p.suffix == ".tmp"] == []


def test_rot_without_a_write_shows_with_rehash(sample, entry):
    path = make_writable(entry / "labels.txt")
    path.write_bytes(LABELS.upper())
    os.utime(path, (UNPACKED_AT_S, UNPACKED_AT_S))
    assert (open_bundle(sample).folder() / "labels.txt").read_bytes() == LABELS.upper()
    assert (open_bundle(sample).folder(rehash=True) / "labels.txt").read_bytes() == LABELS


@pytest.mark.parametrize("kind", ["file", "symlink"])
def test_something_else_in_the_entrys_place(sample, private_cache, tmp_path, kind):
    place = private_cache / "bundles" / open_bundle(sample).id
    place.parent.mkdir(parents=True)
    if kind == "file":
        place.write_text("x")
    else:
        place.symlink_to(tmp_path)
    assert (open_bundle(sample).folder() / "labels.txt").read_bytes() == LABELS
    assert not place.is_symlink()


def test_leftovers_of_a_killed_process_do_not_matter(sample, private_cache):
    bundle = open_bundle(sample)
    half = private_cache / "bundles" / f"{bundle.id}.tmp"
    half.mkdir(parents=True)
    (half / "labels.txt").write_text("half")
    assert (bundle.folder() / "labels.txt").read_bytes() == LABELS
    assert not half.exists()


def test_a_damaged_bundle_leaves_no_entry(sample, private_cache):
    data = bytearray(sample.read_bytes())
    data[data.index(WEIGHTS)] ^= 1
    sample.write_bytes(data)
    with pytest.raises(BundleError, match=r"member models/int8/weights\.bin: SHA-256"):
        open_bundle(sample).folder()
    assert [p.suffix for p in (private_cache / "bundles").iterdir()] == [".lock"]


def test_the_copies_are_checked_before_they_appear(sample, private_cache, monkeypatch):
    """A copy that is not what was hashed on the way: as from a disk that lies."""
    real = Bundle.copy_member

    def lying(self, member, target):
        real(self, member, target)
        if member.path == MODEL_PATH:
            target.seek(0)
            target.write(b"\xff")

    monkeypatch.setattr(Bundle, "copy_member", lying)
    with pytest.raises(BundleError, match=r"models/int8/model\.onnx"):
        open_bundle(sample).folder()
    assert [p.suffix for p in (private_cache / "bundles").iterdir()] == [".lock"]


def test_no_space_left(sample, private_cache, monkeypatch):
    def full(self, member, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Bundle, "copy_member", full)
    with pytest.raises(OutputError, match="No space left on device .*EDGEKIT_CACHE_DIR"):
        open_bundle(sample).folder()
    assert [p.suffix for p in (private_cache / "bundles").iterdir()] == [".lock"]


def test_a_cache_that_cannot_be_made(sample, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="cache .*Not a directory"):
        open_bundle(sample).folder()


def test_two_bundles_do_not_disturb_each_other(sample, tmp_path):
    other = write_sample(tmp_path / "other.edge", name="other")
    assert open_bundle(sample).folder() != open_bundle(other).folder()


def test_another_root(sample, tmp_path):
    assert unpacked(open_bundle(sample), root=tmp_path / "r").parent == tmp_path / "r" / "bundles"


def test_many_processes_at_once(sample, private_cache):
    command = [sys.executable, "-c", UNPACK, str(sample)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert outputs == {f"{private_cache / 'bundles' / open_bundle(sample).id} {LABELS.decode().split()}\n"}


def test_while_another_process_unpacks_this_one_waits_and_uses_its_work(sample, private_cache, monkeypatch):
    bundle, real = open_bundle(sample), cache._locked

    def late(path):
        with monkeypatch.context() as inner:
            inner.setattr(cache, "_locked", real)
            unpacked(bundle)  # what another process did before we had the lock
        monkeypatch.setattr(cache, "_rebuild", lambda *a: pytest.fail("unpacked again"))
        return real(path)

    monkeypatch.setattr(cache, "_locked", late)
    assert (bundle.folder() / "labels.txt").read_bytes() == LABELS


def test_a_user_without_a_home(monkeypatch):
    for name in ("EDGEKIT_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    with pytest.raises(EnvironmentLacks, match="no home folder .set EDGEKIT_CACHE_DIR"):
        cache_root()


@pytest.mark.parametrize(
    ("own", "xdg", "expected"),
    [
        ("/a", "/b", "/a"),
        ("~/c", "", "HOME/c"),
        ("", "/b", "/b/edgekit"),
        ("", "relative", "HOME/.cache/edgekit"),
        ("", "", "HOME/.cache/edgekit"),
    ],
)
def test_cache_root(monkeypatch, tmp_path, own, xdg, expected):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", own)
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    assert cache_root() == Path(expected.replace("HOME", str(tmp_path)))
