"""Named models from end to end, their packages being small wheels made here."""

import hashlib
import io
import sys
import zipfile

import numpy as np
import onnx
import pytest

from edgekit.catalog import models
from edgekit.catalog.cards import load_cards
from edgekit.errors import DataError, EnvironmentLacks, ModelError, UsageError
from edgekit_export.sources import resolve as resolving
from edgekit_export.sources.packages import package_cache
from edgekit_export.sources.resolve import resolve

CARD = """
title = "Small"
task = "classify"
domain = "noise"
languages = []
input_range = "any"
cannot = ["do anything useful"]
license = "Apache-2.0"
source = "made here"
parameters = 259
"""

MODEL = """
[models.model]
package = "weights"
file = "net/model.onnx"
sha256 = "{sha256}"
shape = [1, 3, 16, 16]
[models.model.input]
kind = "image"
tensor = "image"
color = "rgb"
ops = [{{ op = "resize_stretch", width = 16, height = 16 }}]
[models.model.head]
op = "class_head"
tensor = "scores"
labels = "assets/labels.txt"
activation = "softmax"
"""

HEAD = """
schema = 1
task = "classify"
"""

PACKAGE = """
[packages.{name}]
distribution = "{name}"
version = "1.0"
sha256 = "{sha256}"
"""

DATA = """
[assets."assets/labels.txt"]
package = "names"
kind = "imagenet_synsets"
[assets."assets/alphabet.txt"]
package = "weights"
file = "net/model.onnx"
kind = "onnx_character"
[assets."assets/notice.txt"]
package = "names"
file = "timm/NOTICE"
kind = "text"
[calibration]
package = "photos"
files = ["pics/a.png", "pics/b.png"]
query = "crops=4&seed=1"
[evaluation]
package = "photos"
files = ["pics/c.png"]
"""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Index:
    """Stands in for :func:`fetch`: gives the wheels that were made, and counts."""

    def __init__(self, folder):
        self.folder, self.wheels, self.asked = folder, {}, []

    def add(self, name, files):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for member, data in files.items():
                archive.writestr(member, data)
        path = self.folder / f"{name}-1.0-py3-none-any.whl"
        path.write_bytes(buffer.getvalue())
        self.wheels[name] = path
        return PACKAGE.format(name=name, sha256=sha256(buffer.getvalue()))

    def __call__(self, package):
        self.asked.append(package.distribution)
        if package.distribution not in self.wheels:
            raise EnvironmentLacks(f"{package.distribution}: no network")
        wheel = self.wheels[package.distribution]
        assert sha256(wheel.read_bytes()) == package.sha256
        return wheel


@pytest.fixture
def index(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(models, "models_folder", lambda: tmp_path / "models")
    made = Index(tmp_path)
    monkeypatch.setattr(resolving, "fetch", made)
    return made


def write(tmp_path, recipe, name="small-net"):
    folder = tmp_path / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.toml").write_text(CARD)
    (folder / "recipe.toml").write_text(recipe)


@pytest.fixture
def weights(small_classifier):
    model = small_classifier()
    model.metadata_props.add(key="character", value="a\nb")
    return model.SerializeToString()


@pytest.fixture
def small_net(index, tmp_path, weights):
    """A named model with everything in packages. Returns its recipe."""
    info = "timm/data/_info/"
    recipe = HEAD + index.add("weights", {"net/model.onnx": weights})
    recipe += index.add(
        "names",
        {
            info + "imagenet_synsets.txt": "n2\nn1\nn3\n",
            info + "imagenet_synset_to_lemma.txt": "n1\ttench\nn2\tcrane\nn3\tpug\n",
            "timm/NOTICE": "who made it\n",
        },
    )
    recipe += index.add("photos", {f"pics/{name}.png": f"picture {name}" for name in "abc"})
    recipe += MODEL.format(sha256=sha256(weights)) + DATA
    write(tmp_path, recipe)
    return recipe


def test_a_named_model(small_net, index, weights):
    source = resolve("small-net")
    assert (source.name, source.origin, source.task, source.card.title) == (
        "small-net",
        "small-net",
        "classify",
        "Small",
    )
    graph = source.graphs["model"]
    assert graph.sha256 == sha256(weights)
    assert graph.model.SerializeToString() == weights
    assert graph.framework({"image": np.zeros((1, 3, 16, 16), np.float32)})[0].shape == (1, 3)
    assert source.assets == {
        "assets/labels.txt": b"crane\ntench\npug\n",
        "assets/alphabet.txt": b"a\nb\n",
        "assets/notice.txt": b"who made it\n",
    }
    assert set(index.asked) == {"weights", "names", "photos"}


def test_its_photos_lie_in_the_cache(small_net):
    source = resolve("small-net")
    (calibration,), (evaluation,) = source.calibration, source.evaluation
    folder, query = calibration.split("?")
    assert query == "crops=4&seed=1"
    assert "?" not in evaluation
    assert folder != evaluation
    root = package_cache()
    for path, names in ((folder, "ab"), (evaluation, "c")):
        found = {p.name: p.read_text() for p in root.glob(f"*/{path.rsplit('/', 1)[1]}/*")}
        assert found == {f"{name}.png": f"picture {name}" for name in names}
        assert path.startswith(str(root))


def test_a_damaged_photo_is_unpacked_again_and_whole_ones_are_left(small_net, tmp_path):
    resolve("small-net")
    a, b = (next(tmp_path.glob(f"cache/**/{name}.png")) for name in "ab")
    a.write_text("rot")
    before = b.stat().st_mtime_ns
    resolve("small-net")
    assert a.read_text() == "picture a"
    assert b.stat().st_mtime_ns == before
    assert not list(tmp_path.glob("cache/**/*.tmp"))


def test_two_photos_of_one_name_are_refused(small_net, tmp_path):
    write(tmp_path, small_net.replace('"pics/b.png"', '"more/a.png"'))
    with pytest.raises(UsageError, match=r"two files named a\.png"):
        resolve("small-net")


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ('file = "net/model.onnx"', 'file = "net/gone.onnx"', DataError, "has no file net/gone.onnx"),
        ('"pics/c.png"', '"pics/gone.png"', DataError, "has no file pics/gone.png"),
        ('kind = "onnx_character"', 'kind = "imagenet_synsets"', DataError, "has no file timm/"),
        ("[packages.photos]\ndistribution", "[packages.photos]\nplatform = 'x'\ndistribution", None, None),
        ('distribution = "photos"', 'distribution = "elsewhere"', EnvironmentLacks, "elsewhere: no network"),
    ],
)
def test_packages_that_lack_something(small_net, tmp_path, old, new, error, message):
    assert old in small_net
    write(tmp_path, small_net.replace(old, new))
    if error is None:
        resolve("small-net")
        return
    with pytest.raises(error, match=message):
        resolve("small-net")


def test_weights_of_another_hash(small_net, tmp_path, weights):
    write(tmp_path, small_net.replace(sha256(weights), "0" * 64))
    with pytest.raises(ModelError, match="net/model.onnx: expected SHA-256 0000"):
        resolve("small-net")


def test_without_data_of_its_own(small_net, tmp_path):
    write(tmp_path, small_net[: small_net.index("[calibration]")])
    source = resolve("small-net")
    assert (source.calibration, source.evaluation) == ((), ())


NETWORK = """
import torch
def load(weights):
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network
def build():
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
"""


@pytest.fixture
def network_module(tmp_path, monkeypatch):
    (tmp_path / "named_nets.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "named_nets"
    sys.modules.pop("named_nets", None)


def test_a_network_with_weights_from_a_package(index, tmp_path, network_module):
    torch = pytest.importorskip("torch")
    layer = torch.nn.Conv2d(3, 4, 3)
    buffer = io.BytesIO()
    torch.save({"0.weight": layer.weight.detach(), "0.bias": layer.bias.detach()}, buffer)
    recipe = HEAD + index.add("weights", {"net/model.pth": buffer.getvalue()})
    recipe += MODEL.format(sha256=sha256(buffer.getvalue())).replace("model.onnx", "model.pth")
    recipe = recipe.replace("shape =", f'network = "{network_module}:load"\nshape =')
    write(tmp_path, recipe)
    graph = resolve("small-net").graphs["model"]
    assert graph.sha256 == sha256(buffer.getvalue())
    x = np.random.default_rng(0).normal(size=(1, 3, 16, 16)).astype(np.float32)
    (wanted,) = graph.framework({"image": x})
    with torch.inference_mode():
        np.testing.assert_allclose(wanted, layer(torch.from_numpy(x)).mean((2, 3)).numpy(), atol=1e-6)
    assert [v.name for v in graph.model.graph.output] == ["output"]
    onnx.checker.check_model(graph.model)


def test_a_network_that_brings_its_own_weights(index, tmp_path, network_module):
    pytest.importorskip("torch")
    recipe = HEAD + MODEL.format(sha256="0" * 64)
    for line in ('package = "weights"\n', 'file = "net/model.onnx"\n', f'sha256 = "{"0" * 64}"\n'):
        recipe = recipe.replace(line, "")
    write(tmp_path, recipe.replace("shape =", f'network = "{network_module}:build"\nshape ='))
    graph = resolve("small-net").graphs["model"]
    assert graph.sha256 == sha256(graph.model.SerializeToString(deterministic=True))
    assert index.asked == []


def test_a_network_without_torch(index, tmp_path, monkeypatch):
    """It is said before anything is fetched."""
    recipe = HEAD + index.add("weights", {"net/model.onnx": b""}) + MODEL.format(sha256="0" * 64)
    write(tmp_path, recipe.replace("shape =", 'network = "named_nets:load"\nshape ='))
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EnvironmentLacks, match="this source is a torch network"):
        resolve("small-net")
    assert index.asked == []


NO_RECIPE = [name for name, card in load_cards().items() if card.no_recipe]


@pytest.mark.parametrize("name", NO_RECIPE)
def test_models_without_a_recipe_say_why(name):
    with pytest.raises(UsageError, match="without a recipe") as error:
        resolve(name)
    assert error.value.remedy == load_cards()[name].no_recipe


@pytest.mark.parametrize("name", sorted({*models.model_names()} - {*NO_RECIPE}))
def test_recipes_that_ship_name_only_what_they_declare(name):
    card, recipe = resolving.load_recipe(models.model_folder(name))
    assert card.task == recipe.task
    for model in recipe.models.values():
        assert model.package is None or model.package in recipe.packages
        assert model.sha256 is not None
    for asset in recipe.assets.values():
        beside = asset.package is None and asset.file and (models.model_folder(name) / asset.file).is_file()
        assert asset.package in recipe.packages or asset.kind == "coco_classes" or beside
