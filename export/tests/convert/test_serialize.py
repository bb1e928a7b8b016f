import os
import subprocess
import sys

import onnx
import pytest

from edgekit.errors import ModelError
from edgekit_export.convert.serialize import to_bytes
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


def test_a_broken_graph_is_refused(small_classifier):
    model = small_classifier()
    model.graph.node[1].input[0] = "nowhere"
    with pytest.raises(ModelError, match="not valid ONNX"):
        to_bytes(model)
