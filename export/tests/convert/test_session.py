import tempfile

import numpy as np
import pytest

from edgekit.errors import ModelError
from edgekit_export.convert.session import optimized, profiled, session_of
from export.tests.convert.graphs import model_of, node, noise, ops

X = noise(2, 3)


@pytest.mark.parametrize("optimization", ["all", "none"])
def test_it_runs_after_its_file_is_gone(tmp_path, monkeypatch, optimization):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = model_of([node("Add", ["x", "w"], ["y"])], {"x": [2, 3]}, {"y": [2, 3]}, {"w": noise(3, seed=1)})
    session = session_of(model, threads=1, optimization=optimization)
    assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(session.run({"x": X})[0], X + noise(3, seed=1))


def test_what_the_engine_refuses(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = model_of([node("Relu", ["x"], ["y"])], {"x": [2, 3]}, {"y": [2, 3]})
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(ModelError, match="NoSuchOperator"):
        session_of(model)
    assert not list(tmp_path.iterdir())


def rectified():
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["y"])]
    return model_of(nodes, {"x": [1, 8, 4, 4]}, {"y": [1, 8, 4, 4]}, {"w": noise(8, 8, 1, 1, seed=1)})


def test_optimized_is_what_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = ops(optimized(rectified()))
    assert "Relu" not in found
    assert sum(count for kind, count in found.items() if "Conv" in kind) == 1
    assert not list(tmp_path.iterdir())


def test_profile_of_each_run(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = profiled([rectified(), rectified()], [{"x": noise(1, 8, 4, 4)}] * 3, threads=1)
    for events in (first, second):
        assert len([event for event in events if event["name"] == "model_run"]) == 3
        assert len([e for e in events if "Conv" in e.get("args", {}).get("op_name", "")]) == 3
    assert not list(tmp_path.iterdir())
