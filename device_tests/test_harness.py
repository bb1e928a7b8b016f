"""The harness itself: what it says where it cannot run, and that nothing half made is ever used."""

import pytest

from device_tests import cpus, debian, sysroot, unavailable, wheels
from device_tests.unavailable import Unavailable, call

CONTENTS = {"architecture": "amd64", "wheels": (), "suite": "debian test"}


@pytest.fixture
def recipe(monkeypatch):
    """A cache whose contents are named but made of one file; counts how often it is made."""
    made = []

    def make(folder, contents):
        made.append(folder)
        (folder / "roots" / cpus.PI4.name / "usr" / "bin").mkdir(parents=True)
        (folder / "roots" / cpus.PI4.name / "usr" / "bin" / "python3.11").touch()

    monkeypatch.setattr(sysroot, "_contents", lambda: CONTENTS)
    monkeypatch.setattr(sysroot, "_make", make)
    return made


def test_a_sysroot_is_made_once(recipe, tmp_path):
    first, second = sysroot.prepare(tmp_path), sysroot.prepare(tmp_path)
    assert (first, first.python_version, len(recipe)) == (second, "3.11", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first.folder.name, "lock"])


def test_other_contents_make_another_folder(recipe, monkeypatch, tmp_path):
    first = sysroot.prepare(tmp_path)
    monkeypatch.setattr(sysroot, "_contents", lambda: {**CONTENTS, "wheels": ("numpy==9",)})
    assert sysroot.prepare(tmp_path).folder != first.folder


def test_a_failed_sysroot_leaves_nothing(recipe, monkeypatch, tmp_path):
    def fail(folder, contents):
        (folder / "half").touch()
        raise Unavailable("no network")

    monkeypatch.setattr(sysroot, "_make", fail)
    with pytest.raises(Unavailable, match="no network"):
        sysroot.prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_what_a_killed_process_left_is_removed(recipe, tmp_path):
    for name in ("building-x", "apt-y"):
        (tmp_path / name / "deep").mkdir(parents=True)
    sysroot.prepare(tmp_path)
    assert not list(tmp_path.glob("building-*")) and not list(tmp_path.glob("apt-*"))


def test_without_apt_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(debian.shutil, "which", lambda tool: None)
    with pytest.raises(Unavailable, match="apt-get is not installed"):
        debian.native_architecture()


def test_without_pip_the_reason_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="has no pip"):
        wheels.install(("numpy==2.0",), "3.11", tmp_path)
    with pytest.raises(Unavailable, match="has no hatchling"):
        wheels.build(sysroot.REPOSITORY, tmp_path)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo E: no such package; echo later; exit 100", "exit code 100: E: no such package"),
        ("echo only this >&2; exit 1", "exit code 1: only this"),
        ("exit 1", "exit code 1: no message"),
        ("exec sleep 20", "not done in 0 s"),
    ],
)
def test_a_failed_call_says_why(script, message):
    with pytest.raises(Unavailable, match=message):
        call(["sh", "-c", script], 0.2 if "sleep" in script else 30)


def test_a_missing_tool_says_so():
    with pytest.raises(Unavailable, match="no-such-tool is not installed"):
        unavailable.call(["no-such-tool"], 1)


def test_pins_are_those_that_run_here():
    import numpy

    pins = wheels.pinned_requirements()
    assert f"numpy=={numpy.__version__}" in pins
    assert not [pin for pin in pins if pin.split("==")[0] in ("edgekit", "torch", "onnx", "matplotlib")]


def test_overlays_share_files_and_differ_in_their_processor(tmp_path):
    base = tmp_path / "base"
    (base / "usr").mkdir(parents=True)
    (base / "usr" / "file").write_text("shared")
    cpus.show(base, cpus.PI4)
    cpus.overlay(base, tmp_path / "other", cpus.PI5)
    assert (base / "usr" / "file").samefile(tmp_path / "other" / "usr" / "file")
    texts = [(root / "proc" / "cpuinfo").read_text() for root in (base, tmp_path / "other")]
    assert ["asimddp" in text for text in texts] == [False, True]
    assert ["CPU part\t: 0xd08" in texts[0], "CPU part\t: 0xd0b" in texts[1]] == [True, True]
