"""Steps are found again by content, whole or not at all."""

import os
from contextlib import closing
from threading import Thread

import numpy as np
import pytest

from edgekit.errors import OutputError
from edgekit.predictions.prediction import Key, Prediction
from edgekit.types import Embedding
from edgekit_export.budget import steps as module
from edgekit_export.budget.steps import Steps

ARRAYS = {"a/b": np.arange(5.0), "n": np.asarray(3)}


def test_found_again_by_the_same_identity_alone(tmp_path):
    Steps(tmp_path, {"x": 1, "y": [2]}).write("moments", ARRAYS)
    found = Steps(tmp_path, {"y": [2], "x": 1}).read("moments")
    assert {name: array.tolist() for name, array in found.items()} == {"a/b": [0, 1, 2, 3, 4], "n": 3}
    assert Steps(tmp_path, {"x": 1, "y": [3]}).read("moments") is None
    assert Steps(tmp_path, {"x": 1, "y": [2]}).read("others") is None
    assert Steps(tmp_path, {"x": 1, "y": [2]}, resume=False).read("moments") is None


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:50], lambda data: b"junk" + data[4:]]
)
def test_a_damaged_step_was_not_done(tmp_path, damage):
    steps = Steps(tmp_path, {})
    steps.write("moments", ARRAYS)
    (path,) = tmp_path.rglob("moments.npz")
    path.write_bytes(damage(path.read_bytes()))
    assert steps.read("moments") is None


def test_no_pickle_is_loaded(tmp_path):
    steps = Steps(tmp_path, {})
    steps.write("moments", ARRAYS)
    (path,) = tmp_path.rglob("moments.npz")
    np.savez(path, evil=np.asarray([{}], object))
    assert steps.read("moments") is None


def test_the_oldest_go(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 2500)
    for age, number in ((300, 1), (200, 2), (100, 3)):
        steps = Steps(tmp_path, {"n": number})
        steps.write("a", {"x": np.zeros(100)})
        (folder,) = (path for path in tmp_path.iterdir() if path.stat().st_mtime > 1e9)
        os.utime(folder, (1e9 - age, 1e9 - age))
    assert Steps(tmp_path, {"n": 4}).read("a") is None
    left = [number for number in (1, 2, 3) if (Steps(tmp_path, {"n": number}).read("a")) is not None]
    assert left == [2, 3]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="EDGEKIT_CACHE_DIR"):
        Steps(tmp_path / "file", {})


def test_what_an_export_is_at_stays(tmp_path, monkeypatch):
    at_it = Steps(tmp_path, {"n": 1})
    at_it.write("a", ARRAYS)
    monkeypatch.setattr(module, "MOST_BYTES", 0)
    Steps(tmp_path, {"n": 2}).close()
    assert at_it.read("a") is not None
    with pytest.raises(OutputError, match="another export"):
        Steps(tmp_path, {"n": 1}, resume=False)
    at_it.close()
    Steps(tmp_path, {"n": 3}).close()
    assert at_it.read("a") is None


def test_a_measurement_of_two_exports_is_made_once(tmp_path):
    """The second waits for the first, and reads what it has journaled."""
    steps = [Steps(tmp_path, {"n": 1}) for _ in range(2)]
    first = steps[0].journal({}, [()])
    found = []

    def wait():
        with closing(steps[1].journal({}, [()])) as journal:
            found.append(journal.found)

    second = Thread(target=wait)
    second.start()
    first.add(Key(0, ""), "a", [Prediction(Embedding(np.ones(2, np.float32)))], [])
    first.close()
    second.join(10)
    assert found == [1]
