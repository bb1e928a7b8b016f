import onnx

from edgekit_export.layers import graph_origin, layer_origins
from edgekit_export.quantize import Recipe, quantize
from export.tests.quantize.networks import gated, pictures, residual


def test_files_give_what_graphs_give(tmp_path):
    feeds = {"detect": pictures(3), "recognize": pictures(3, (8, 24))}
    full = {"detect": residual(), "recognize": gated()}
    reduced = {role: quantize(model, feeds[role], Recipe()).model for role, model in full.items()}
    files = {}
    for side, models in {"full": full, "reduced": reduced}.items():
        for role, model in models.items():
            path = tmp_path / side / f"{role}.onnx"
            path.parent.mkdir(exist_ok=True)
            copy = onnx.ModelProto()
            copy.CopyFrom(model)  # onnx.save moves the weights out of what it is given
            onnx.save(
                copy, path, save_as_external_data=True, location=f"{role}.onnx.data", size_threshold=100
            )
            files.setdefault(side, {})[role] = path
    told = []
    found = layer_origins(files["full"], files["reduced"], feeds, lambda: told.append(1))
    assert found == {role: graph_origin(full[role], reduced[role], feeds[role]) for role in full}
    assert len(told) == sum(len(origin.layers) + 1 for origin in found.values())


def test_only_graphs_with_feeds_are_measured(tmp_path):
    assert layer_origins({"model": tmp_path / "gone.onnx"}, {"model": tmp_path / "gone.onnx"}, {}) == {}
