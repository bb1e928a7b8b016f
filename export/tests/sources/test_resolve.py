import hashlib
import sys

import numpy as np
import onnx
import pytest

from edgekit.bundle.manifest import CenterCrop, Normalize, ResizeShorter, ResizeStretch
from edgekit.errors import DataError, ModelError, UsageError
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.resolve import check_converter, resolve

BARE = BareInput(normalize="0to1")


@pytest.fixture
def onnx_file(tmp_path, small_classifier):
    path = tmp_path / "My Model.onnx"
    path.write_bytes(small_classifier().SerializeToString())
    return path


def test_an_onnx_file(onnx_file):
    source = resolve(str(onnx_file), BARE)
    graph = source.graphs["model"]
    assert (source.name, source.task) == ("my-model", "classify")
    assert graph.sha256 == hashlib.sha256(onnx_file.read_bytes()).hexdigest()
    assert graph.spec.input.ops == (
        ResizeShorter(size=18),
        CenterCrop(width=16, height=16),
        Normalize(mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0)),
    )
    assert source.assets["assets/labels.txt"] == b"class 0\nclass 1\nclass 2\n"
    assert source.card.parameters == 16 * 27 + 16 + 16 * 144 + 16 + 3 * 16 + 3


def test_options_of_a_bare_graph(onnx_file, tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\nowl\n")
    bare = BareInput(
        "1,2,3/4,5,6", resize="stretch", color="bgr", labels=tmp_path / "labels.txt", activation="none"
    )
    source = resolve(str(onnx_file), bare)
    spec = source.graphs["model"].spec
    assert spec.input.ops == (ResizeStretch(width=16, height=16), Normalize(mean=(1, 2, 3), std=(4, 5, 6)))
    assert spec.input.color == "bgr"
    assert source.assets["assets/labels.txt"] == b"cat\ndog\nowl\n"


@pytest.mark.parametrize("text", [None, "imagnet", "1,2/3,4", "1,2,3/4,5,0", "1,2,3/4,5,nan", "a,b,c/1,1,1"])
def test_normalisation_is_never_guessed(onnx_file, text):
    with pytest.raises(UsageError, match="imagenet"):
        resolve(str(onnx_file), BareInput(normalize=text))


def test_labels_that_do_not_fit(onnx_file, tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    with pytest.raises(DataError, match="expected 3 labels, one a line, got 2"):
        resolve(str(onnx_file), BareInput("0to1", labels=tmp_path / "labels.txt"))
    with pytest.raises(DataError, match="cannot be read"):
        resolve(str(onnx_file), BareInput("0to1", labels=tmp_path / "gone.txt"))
    with pytest.raises(DataError, match="expected a file of labels, got a folder"):
        resolve(str(onnx_file), BareInput("0to1", labels=tmp_path))


def test_a_graph_that_is_no_classifier(tmp_path, small_classifier):
    model = small_classifier()
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1
    del model.graph.node[-1:]
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info("r0", 1, [1, 8, 8, 8]))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="cannot tell its task"):
        resolve(str(tmp_path / "m.onnx"), BARE)


def test_an_unknown_activation(onnx_file):
    with pytest.raises(UsageError, match="choose from softmax"):
        resolve(str(onnx_file), BareInput("0to1", activation="tanh"))


def test_a_torch_network(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    (tmp_path / "my_nets.py").write_text(
        "import torch\n"
        "def build():\n"
        "    torch.manual_seed(0)\n"
        "    pool = torch.nn.AdaptiveAvgPool2d(1)\n"
        "    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), pool, torch.nn.Flatten(), torch.nn.Linear(4, 5))\n"
        "def broken():\n"
        "    raise KeyError('weights')\n"
        "def number():\n"
        "    return 7\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    source = resolve("my_nets:build", BareInput("0to1", size=12))
    graph = source.graphs["model"]
    nchw = np.random.default_rng(0).normal(size=(1, 3, 12, 12)).astype(np.float32)
    from edgekit_export.convert.session import session_of

    session = session_of(graph.model)
    (exported,) = session.run({session.inputs[0].name: nchw})
    np.testing.assert_allclose(exported, graph.framework({"image": nchw})[0], atol=1e-6)
    with pytest.raises(UsageError, match="--input-size"):
        resolve("my_nets:build", BARE)
    with pytest.raises(ModelError, match="KeyError"):
        resolve("my_nets:broken", BARE)
    with pytest.raises(ModelError, match=r"expected a torch.nn.Module, got int"):
        resolve("my_nets:number", BARE)
    with pytest.raises(UsageError, match="importable"):
        resolve("my_nets:gone", BARE)
    sys.modules.pop("my_nets", None)


@pytest.mark.parametrize("name", ["resnet-9000", "gone.edge", "no/such/folder"])
def test_nothing_of_that_name_lists_what_there_is(name):
    with pytest.raises(UsageError, match="efficientnet-lite0"):
        resolve(name)


def test_a_folder_without_a_recipe(tmp_path):
    with pytest.raises(ModelError, match="not a model that edgekit exports"):
        resolve(str(tmp_path))


CARD = """
title = "Small"
task = "classify"
domain = "noise"
languages = ["en"]
input_range = "any"
cannot = ["do anything useful"]
license = "Apache-2.0"
source = "made here"
parameters = 259
"""

RECIPE = """
schema = 1
task = "classify"
[models.model]
file = "model.onnx"
shape = [1, 3, 16, 16]
[models.model.input]
kind = "image"
tensor = "image"
color = "rgb"
ops = [{ op = "resize_stretch", width = 16, height = 16 }]
[models.model.head]
op = "class_head"
tensor = "scores"
labels = "assets/labels.txt"
activation = "softmax"
[assets."assets/labels.txt"]
kind = "text"
file = "labels.txt"
[calibration]
data = "photos"
"""


@pytest.fixture
def recipe_folder(tmp_path, small_classifier):
    folder = tmp_path / "small-net"
    folder.mkdir()
    (folder / "card.toml").write_text(CARD)
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "labels.txt").write_text("a\nb\nc\n")
    (folder / "model.onnx").write_bytes(small_classifier().SerializeToString())
    return folder


def test_a_recipe_of_ones_own(recipe_folder):
    source = resolve(str(recipe_folder))
    assert (source.name, source.card.title, source.calibration) == ("small-net", "Small", ("photos",))
    assert source.assets == {"assets/labels.txt": b"a\nb\nc\n"}


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ('file = "model.onnx"', 'file = "../model.onnx"', UsageError, "outside the recipe's folder"),
        ('file = "model.onnx"', 'file = "gone.onnx"', DataError, "cannot be read"),
        ('file = "model.onnx"', "", UsageError, "neither a file nor a network"),
        (
            'file = "model.onnx"',
            f'file = "model.onnx"\nsha256 = "{"0" * 64}"',
            ModelError,
            "expected SHA-256 0000",
        ),
        ('file = "model.onnx"', 'file = "model.onnx"\npackage = "p"', UsageError, "names package 'p'"),
        ("schema = 1", "schema = 2", DataError, "schema"),
        ("schema = 1", "schema = 1\nunknown = 2", DataError, "unknown"),
        ("schema = 1", "schema = = 1", DataError, "is no TOML"),
        ('file = "labels.txt"', "", UsageError, "names no file"),
        ('data = "photos"', "", UsageError, "neither data nor a package"),
    ],
)
def test_recipes_that_are_wrong(recipe_folder, old, new, error, message):
    path = recipe_folder / "recipe.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(error, match=message):
        resolve(str(recipe_folder))


@pytest.mark.parametrize("asked", [BareInput(normalize="none"), BareInput(size=64), BareInput(task="detect")])
def test_options_against_a_recipe(recipe_folder, asked):
    with pytest.raises(UsageError, match="leave it out"):
        resolve(str(recipe_folder), asked)


def test_a_recipe_without_a_card(recipe_folder):
    (recipe_folder / "card.toml").unlink()
    with pytest.raises(DataError, match="card.toml: cannot be read"):
        resolve(str(recipe_folder))


def asked_for_the_converter(monkeypatch, source, wanted):
    asked = []
    monkeypatch.setattr("edgekit_export.tflite.converter.require_converter", lambda: asked.append(source))
    check_converter(source, wanted)
    return len(asked)


@pytest.mark.parametrize(
    ("source", "times"),
    [
        ("efficientnet-lite0", 1),
        ("minilm-l6", 1),
        ("some.module:network", 1),
        ("owner/name@main", 1),
        ("ppocr-v4", 0),
        ("blazeface", 0),
        ("m.onnx", 0),
        ("folder/m.tflite", 0),
        ("no-such-model", 0),
    ],
)
def test_the_converter_is_asked_for_before_a_network_is_loaded(monkeypatch, source, times):
    for wanted in ("tflite", "both"):
        assert asked_for_the_converter(monkeypatch, source, wanted) == times
    for wanted in ("onnx", None):
        assert asked_for_the_converter(monkeypatch, source, wanted) == 0


def test_the_converter_is_asked_for_before_a_folder_is_loaded(monkeypatch, tmp_path):
    assert asked_for_the_converter(monkeypatch, str(tmp_path), "tflite") == 0
    (tmp_path / "config.json").write_text("{}")
    assert asked_for_the_converter(monkeypatch, str(tmp_path), "tflite") == 1
