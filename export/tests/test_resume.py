"""An export that is interrupted anywhere goes on, and ends in the bytes of one that was left alone."""

import json

import cv2
import numpy as np
import pytest

from edgekit import open_bundle
from edgekit.cli import main
from edgekit_export.budget import mixing as module
from edgekit_export.budget.steps import Steps
from edgekit_export.budget.workshop import _Shop


@pytest.fixture(scope="module")
def place(tmp_path_factory, small_classifier):
    folder = tmp_path_factory.mktemp("resume")
    (folder / "small.onnx").write_bytes(small_classifier().SerializeToString())
    for name, seed in (("calib", 1), ("eval", 2)):
        (folder / name).mkdir()
        rng = np.random.default_rng(seed)
        for i in range(16):
            coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / name / f"{i:02}.png"), cv2.resize(coarse, (40, 30)))
    return folder


def export(place, out, *more):
    data = ["--calib", place / "calib", "--eval", place / "eval", "--normalize", "0to1"]
    limits = ["--recipe", "mixed", "--max-size", "38kB", "--json"]
    return main(["export", *map(str, (place / "small.onnx", "-o", out, *data, *limits, *more))])


def models(path):
    return {file.path: file.sha256 for file in open_bundle(path).manifest.files if ".onnx" in file.path}


@pytest.fixture(scope="module")
def alone(place, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path_factory.mktemp("alone")))
        assert export(place, place / "alone.edge") == 0
    return models(place / "alone.edge")


class Killed(BaseException):
    """What nothing catches."""


def dies_at(patch, owner, name, call):
    """Makes a function die at its n-th call, before it does anything."""
    original, calls = getattr(owner, name), []

    def dying(*args, **options):
        calls.append(1)
        if len(calls) == call:
            raise Killed
        return original(*args, **options)

    patch.setattr(owner, name, dying)


@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [
        (module, "measured", 1),
        (Steps, "write", 1),
        (Steps, "write", 2),
        (_Shop, "make", 1),
        (_Shop, "make", 2),
        (_Shop, "judge", 1),
    ],
)
def test_ends_as_if_left_alone(place, alone, tmp_path, monkeypatch, owner, name, call):
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "cache"))
    with monkeypatch.context() as patch:
        dies_at(patch, owner, name, call)
        with pytest.raises(Killed):
            export(place, tmp_path / "out.edge")
    assert not list(tmp_path.glob("*.edge"))
    assert export(place, tmp_path / "out.edge") == 0
    assert models(tmp_path / "out.edge") == alone


def test_what_was_measured_is_not_measured_again(place, alone, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "cache"))
    assert export(place, tmp_path / "a.edge") == 0
    with monkeypatch.context() as patch:
        dies_at(patch, module, "measured", 1)
        assert export(place, tmp_path / "b.edge", "--max-drop", "99%") == 0
        with pytest.raises(Killed):
            export(place, tmp_path / "c.edge", "--no-resume")
    assert models(tmp_path / "b.edge") == alone
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["variants"][0]["name"] for one in found] == ["mixed", "mixed"]


@pytest.mark.parametrize("other", [("--resize", "stretch"), ("--color", "bgr"), ("--activation", "none")])
def test_another_input_or_head_is_measured_anew(place, tmp_path, monkeypatch, other):
    """The graph is the same, what it is given or how it is read is not."""
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "cache"))
    assert export(place, tmp_path / "a.edge") == 0
    with monkeypatch.context() as patch:
        dies_at(patch, module, "measured", 1)
        with pytest.raises(Killed):
            export(place, tmp_path / "b.edge", *other)
