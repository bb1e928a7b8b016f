import tempfile

import numpy as np
import pytest

from edgekit.errors import ModelError
from edgekit_export.convert.session import session_of
from export.tests.convert.graphs import model_of, node, noise

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
