import errno
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from edgekit.errors import ModelError, OutputError
from edgekit_export.convert.serialize import to_bytes, write_model
from export.tests.convert.graphs import difference, noise

MAKE = """
import hashlib, sys
import onnx
from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.normalize import normalize
from edgekit_export.convert.serialize import to_bytes
model = onnx.load(sys.argv[1])
made = normalize(model, Picture((1.0, 2.0, 3.0), (4.0, 5.0, 6.0), "height", "width"))
made.metadata_props.add(key="b", value="1")
made.metadata_props.add(key="a", value="2")
print(hashlib.sha256(to_bytes(made)).hexdigest())
"""


def test_bytes_of_two_processes_are_the_same(tmp_path, small_classifier):
    """With other hash seeds, so that no set's or dict's order gets into the file."""
    (tmp_path / "m.onnx").write_bytes(small_classifier().SerializeToString())
    found = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(tmp_path / "m.onnx")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
        )
        for seed in ("1", "2")
    ]
    digests = {process.communicate(timeout=60)[0] for process in found}
    assert [process.returncode for process in found] == [0, 0]
    assert len(digests) == 1
    assert len(digests.pop()) == 65


def test_bytes_hold_the_whole_model(small_classifier):
    again = onnx.load_model_from_string(to_bytes(small_classifier()))
    assert difference(small_classifier(), again, {"input": noise(1, 3, 16, 16)}) == 0


def test_a_broken_graph_is_not_written(tmp_path, small_classifier):
    model = small_classifier()
    model.graph.node[1].input[0] = "nowhere"
    with pytest.raises(ModelError, match="not valid ONNX"):
        to_bytes(model)
    with pytest.raises(ModelError, match="not valid ONNX"):
        write_model(model, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_file_is_written_over_the_old_one(tmp_path, small_classifier):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    assert write_model(small_classifier(), path) == path.stat().st_size
    assert path.read_bytes() == to_bytes(small_classifier())
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


def test_a_folder_that_is_not_there(tmp_path, small_classifier):
    with pytest.raises(OutputError, match=r"m\.onnx: no folder"):
        write_model(small_classifier(), tmp_path / "gone" / "m.onnx")


@pytest.mark.parametrize("where", ["sync", "rename"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, small_classifier, where):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "m.onnx").write_bytes(b"old")
    if where == "sync":
        monkeypatch.setattr("edgekit.bundle.atomic.os.fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        write_model(small_classifier(), tmp_path / "m.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]
    assert (tmp_path / "m.onnx").read_bytes() == b"old"
