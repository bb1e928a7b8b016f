"""Folders of vision-language models: the very tensors under our names, and how pictures go in."""

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit.bundle.manifest import FeaturesHead, TilesInput  # noqa: E402
from edgekit.errors import EnvironmentLacks, ModelError, UsageError  # noqa: E402
from edgekit_export.architectures.architecture import tensor_shapes  # noqa: E402
from edgekit_export.architectures.registry import with_pictures  # noqa: E402
from edgekit_export.architectures.vision import vision_tensor_shapes  # noqa: E402
from edgekit_export.sources.text_source import text_source  # noqa: E402
from export.tests.sources.vision_checkpoints import (  # noqa: E402
    TEMPLATE,
    VOCABULARY,
    tiny_gemma3_pictures,
    tiny_idefics3,
    write_vision_folder,
)

MADE = {
    "idefics3": tiny_idefics3,
    "smolvlm": lambda: tiny_idefics3("SmolVLM", tied=False),
    "gemma3": tiny_gemma3_pictures,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {name: write_vision_folder(make(), tmp_path_factory.mktemp(name)) for name, make in MADE.items()}


def changed(folder, tmp_path, file, **settings):
    """A copy whose file says something else; ``None`` takes a key out."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    config = {**json.loads((copy / file).read_text()), **settings}
    (copy / file).write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    return str(copy)


@pytest.mark.parametrize("name", MADE)
def test_every_parameter_is_read_under_our_name(folders, name):
    network, model = MADE[name](), text_source(str(folders[name])).model
    family = with_pictures(type(network).__name__)
    parameters = {family.renamed(key): value.numpy() for key, value in network.state_dict().items()}
    gemma = name == "gemma3"
    for ours, shape in vision_tensor_shapes(model.eyes.shape).items():
        wanted = parameters.pop(ours)
        if gemma and ours.startswith("connector"):
            wanted = wanted.T if wanted.ndim == 2 else wanted + np.float32(1)
        found = model.eyes.read(ours)
        assert found.shape == shape
        assert np.array_equal(found, wanted), ours
    for ours, shape in tensor_shapes(model.shape).items():
        wanted = parameters.pop(family.text.hf_name(ours))
        found = model.read(ours)
        assert found.shape == shape
        assert np.array_equal(found, wanted + np.float32(1) if gemma and wanted.ndim == 1 else wanted), ours
    left = {key for key in parameters if key != "lm_head.weight" and ".head." not in key}
    assert left == set()
    assert model.shape.tied == (name != "smolvlm")


def test_how_pictures_go_in(folders):
    eyes = text_source(str(folders["smolvlm"])).model.eyes
    half = (0.5, 0.5, 0.5)
    assert eyes.tiles == TilesInput("pixel_values", 64, 96, False, half, half, "pillow_lanczos")
    assert eyes.head == FeaturesHead("image_features", 16, 5, "idefics3")
    smaller = eyes.at(48)
    assert (smaller.tiles.size, smaller.tiles.longest, smaller.head.tokens) == (48, 72, 9)
    gemma = text_source(str(folders["gemma3"])).model.eyes
    assert gemma.tiles == TilesInput("pixel_values", 64, None, False, half, half, "pillow_bilinear")
    assert gemma.head == FeaturesHead("image_features", 16, VOCABULARY, "gemma3")
    with pytest.raises(UsageError, match="takes 64 pixels only"):
        gemma.at(48)


def test_words_and_card(folders):
    model = text_source(str(folders["idefics3"])).model
    assert model.words.chat_template == TEMPLATE
    assert 3 in model.words.ends  # <end_of_utterance>
    assert model.card.task == "vision_language"
    assert model.card.parameters == sum(value.numel() for value in MADE["idefics3"]().parameters())


def test_the_processors_own_template_counts(folders, tmp_path):
    folder = changed(folders["idefics3"], tmp_path, "tokenizer_config.json", chat_template="other")
    (tmp_path / "copy" / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    assert text_source(folder).model.words.chat_template == TEMPLATE


def test_names_of_gemma_as_the_hub_has_them():
    family = with_pictures("Gemma3ForConditionalGeneration")
    for theirs in (
        "vision_tower.vision_model.encoder.layers.3.mlp.fc1.bias",
        "model.vision_tower.encoder.layers.3.mlp.fc1.bias",
    ):
        assert family.renamed(theirs) == "vision.layers.3.mlp.fc1.bias"
    assert family.renamed("language_model.model.norm.weight") == "model.norm.weight"
    assert family.renamed("model.language_model.norm.weight") == "model.norm.weight"
    assert family.renamed("something.else") == "something.else"


CONFIG, PROCESSOR = "config.json", "preprocessor_config.json"


@pytest.mark.parametrize(
    ("name", "file", "settings", "said"),
    [
        ("idefics3", CONFIG, {"text_config": None}, "text_config: expected an object, got NoneType"),
        ("idefics3", CONFIG, {"vision_config": [1]}, "vision_config: expected an object, got list"),
        ("idefics3", CONFIG, {"text_config": {"model_type": "mistral"}}, "model_type is 'mistral'"),
        ("idefics3", CONFIG, {"scale_factor": 3}, "expected pictures of a multiple of 24 pixels"),
        ("idefics3", CONFIG, {"scale_factor": 0}, "scale_factor: expected a whole number"),
        ("idefics3", CONFIG, {"image_token_id": 288}, "the image token is 288, of 288 tokens"),
        ("idefics3", CONFIG, {"tie_word_embeddings": False}, "has no tensor lm_head.weight"),
        ("gemma3", CONFIG, {"mm_tokens_per_image": 15}, "mm_tokens_per_image: expected a square"),
        ("idefics3", PROCESSOR, {"size": {"height": 8, "width": 8}}, "size: expected longest_edge"),
        ("idefics3", PROCESSOR, {"max_image_size": {"longest_edge": 128}}, "expected at most 64"),
        ("idefics3", PROCESSOR, {"do_rescale": False}, "do_rescale: expected true"),
        ("idefics3", PROCESSOR, {"rescale_factor": 0.5}, "rescale_factor: expected 1/255"),
        (
            "idefics3",
            PROCESSOR,
            {"image_processor_type": "ViTImageProcessor"},
            "expected that of Idefics3 or",
        ),
        ("gemma3", PROCESSOR, {"size": {"height": 64, "width": 32}}, "both the same"),
    ],
)
def test_what_cannot_be_followed_is_refused(folders, tmp_path, name, file, settings, said):
    with pytest.raises(ModelError, match=said):
        text_source(changed(folders[name], tmp_path, file, **settings))


def test_vision_settings_that_change_the_arithmetic_are_refused(folders, tmp_path):
    folder = folders["idefics3"]
    vision = json.loads((folder / CONFIG).read_text())["vision_config"]
    with pytest.raises(ModelError, match="hidden_act is 'gelu'"):
        text_source(changed(folder, tmp_path, CONFIG, vision_config={**vision, "hidden_act": "gelu"}))


def test_one_tensor_more_is_refused(folders, tmp_path):
    from safetensors.numpy import load_file, save_file

    copy = shutil.copytree(folders["idefics3"], tmp_path / "copy")
    file = copy / "model.safetensors"
    save_file({**load_file(file), "model.connector.other.weight": np.ones(3, np.float32)}, file)
    with pytest.raises(ModelError, match=r"has 1 tensors .* first 'model.connector.other.weight'"):
        text_source(str(copy))


CARD = """title = "Tiny"
task = "vision_language"
domain = "shapes"
languages = ["en"]
input_range = "a picture"
cannot = ["see"]
license = "MIT"
source = "here"
parameters = 1
"""


def named(folder, root, sha256):
    """A recipe with the folder beside it."""
    shutil.copytree(folder, root / "checkpoint")
    (root / "card.toml").write_text(CARD)
    (root / "recipe.toml").write_text(
        'schema = 1\ntask = "vision_language"\n[hub]\nfolder = "checkpoint"\n'
        f'files = ["config.json"]\nsha256 = "{sha256}"\n'
    )
    return str(root)


def test_a_named_model_whose_weights_lie_beside_its_recipe(folders, tmp_path):
    sha256 = text_source(str(folders["idefics3"])).model.sha256
    model = text_source(named(folders["idefics3"], tmp_path, sha256)).model
    assert (model.card.title, model.name, model.sha256) == ("Tiny", tmp_path.name.lower(), sha256)
    assert model.eyes is not None
    shutil.rmtree(tmp_path / "checkpoint")
    with pytest.raises(EnvironmentLacks, match="no folder checkpoint beside its recipe"):
        text_source(str(tmp_path))


def test_other_weights_than_a_recipe_pins_are_refused(folders, tmp_path):
    with pytest.raises(ModelError, match="checkpoint: has weights with the SHA-256"):
        text_source(named(folders["idefics3"], tmp_path, "0" * 64))
