"""Folders of the layout that ``optimum-cli export onnx`` writes; and those that it writes itself, where it is.

It pins an older transformers than ours, so it lives in an environment of its own, whose python EDGEKIT_OPTIMUM_PYTHON
names: ``python -m venv optimum && optimum/bin/pip install 'optimum-onnx[onnxruntime]' pillow``.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgekit.errors import ModelError
from edgekit_export.conformance.image_families import IMAGE_FAMILIES, LABELS
from edgekit_export.convert.from_torch import export_traced
from edgekit_export.convert.rename_output import rename_output
from edgekit_export.convert.session import session_of
from edgekit_export.parity import parity
from edgekit_export.sources.huggingface.folder import open_hf_folder
from edgekit_export.sources.huggingface.network import load_network
from edgekit_export.sources.resolve import resolve
from edgekit_export.variants import full_precision

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
PYTHON = os.environ.get("EDGEKIT_OPTIMUM_PYTHON")
TIMEOUT_S = 300


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A ViT as transformers writes it."""
    folder = tmp_path_factory.mktemp("vit")
    IMAGE_FAMILIES["ViT"].write(folder)
    return folder


@pytest.fixture(scope="module")
def graph(written):
    """The same as ONNX, as bytes; a batch of any size."""

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = load_network(open_hf_folder(written, "x"))

        def forward(self, pixels):
            return self.network(pixel_values=pixels).logits

    example = {"pixel_values": torch.zeros(2, 3, 64, 64)}
    return export_traced(Logits(), example, ["logits"], {"pixel_values": {0: "batch"}}).SerializeToString()


def _folder(written, path, graph, where):
    for name in ("config.json", "preprocessor_config.json", "README.md"):
        (path / name).write_bytes((written / name).read_bytes())
    (path / where).parent.mkdir(exist_ok=True)
    (path / where).write_bytes(graph)
    return path


def _difference(source, other):
    """Largest difference of two sources' scores on a picture."""
    (shape,) = {s.graphs["model"].spec.shape for s in (source, other)}
    feed = {"image": np.random.default_rng(0).integers(0, 256, (1, *shape[2:], 3), dtype=np.uint8)}
    sessions = [session_of(full_precision(s.graphs["model"])) for s in (source, other)]
    one, two = (dict(zip([o.name for o in s.outputs], s.run(feed), strict=True)) for s in sessions)
    assert one.keys() == two.keys()
    return max(np.abs(one[name] - two[name]).max() for name in one)


@pytest.mark.parametrize("where", ["model.onnx", "onnx/model.onnx"])
def test_a_folder_with_a_graph(written, graph, tmp_path, where):
    source = resolve(str(_folder(written, tmp_path, graph, where)))
    made = source.graphs["model"]
    assert (source.task, made.spec.shape, made.network) == ("classify", (1, 3, 64, 64), None)
    assert source.assets["assets/labels.txt"].decode().splitlines() == list(LABELS)
    assert made.spec.input == resolve(str(written)).graphs["model"].spec.input
    assert _difference(source, resolve(str(written))) <= 1e-5
    full = full_precision(made)
    feeds = [{"image": np.full((1, 64, 64, 3), 99, np.uint8)}]
    assert parity(made, full, full, feeds).export["all"].max_abs <= 1e-5


def test_safetensors_come_first(written, graph, tmp_path):
    folder = _folder(written, tmp_path, graph, "model.onnx")
    (folder / "model.safetensors").write_bytes((written / "model.safetensors").read_bytes())
    assert resolve(str(folder)).graphs["model"].network is not None


def test_another_number_of_labels(written, graph, tmp_path):
    folder = _folder(written, tmp_path, graph, "model.onnx")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "id2label": {"0": "a", "1": "b"}}))
    with pytest.raises(ModelError, match="expected 2 channels for 2 labels, got 10"):
        resolve(str(folder))


def test_a_graph_of_something_else(written, small_classifier, tmp_path):
    model = small_classifier()
    rename_output(model, "embedding")
    folder = _folder(written, tmp_path, model.SerializeToString(), "model.onnx")
    with pytest.raises(ModelError, match="expected an output logits"):
        resolve(str(folder))


@pytest.mark.skipif(not PYTHON, reason="EDGEKIT_OPTIMUM_PYTHON names no environment with optimum")
@pytest.mark.parametrize("name", ["ViT", "ResNet", "DETR", "YOLOS"])
def test_what_optimum_itself_writes(tmp_path, name):
    model, made = tmp_path / "model", tmp_path / "onnx"
    model.mkdir()
    IMAGE_FAMILIES[name].write(model)
    task = {"classify": "image-classification", "detect": "object-detection"}[IMAGE_FAMILIES[name].task]
    tool = Path(PYTHON).parent / "optimum-cli"
    command = [str(tool), "export", "onnx", "--model", str(model), "--task", task, str(made)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    source = resolve(str(made))
    assert source.graphs["model"].network is None
    assert _difference(source, resolve(str(model))) <= 1e-3
