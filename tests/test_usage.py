import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import (
    CenterCrop,
    ImageInput,
    Letterbox,
    ResizeMultiple,
    ResizeShorter,
    ResizeStretch,
)
from edgekit.catalog.cards import load_card
from edgekit.usage import language_warning, shape_warning, size_warning
from tests.bundle.samples import manifest, one_model
from tests.vision_files import TILES

GERMAN = "Was ist die Hauptstadt von Frankreich?"
CROP = (ResizeShorter(256), CenterCrop(224, 224))
STRETCH = (ResizeStretch(224, 224),)
BOX = (Letterbox(640, 640, 114),)
DYNAMIC = (ResizeMultiple(736, 960, 32),)


def seen_by(ops, task="classify"):
    whole = replace(manifest(), task=task)
    given = ops if not isinstance(ops, tuple) else ImageInput("x", ops, "rgb")
    return whole, replace(whole.variants[0], models={"model": one_model(input=given)})


@pytest.mark.parametrize(
    ("model", "warning"),
    [
        (
            "minilm-l6",
            "the text looks German (4 of 6 words, like was, ist, die), this model is made for: English",
        ),
        (
            "ppocr-v6",
            "the text looks German (4 of 6 words, like was, ist, die), this model is made for: Chinese, English",
        ),
        ("gemma3-1b", None),  # many languages
        ("whisper-large-v3", None),
        ("efficientnet-lite0", None),  # language plays no part
    ],
)
def test_a_text_is_held_against_the_languages_of_the_card(model, warning):
    card = load_card(model)
    assert language_warning(card, GERMAN) == warning
    assert language_warning(card, "What is the capital of France?") is None


@pytest.mark.parametrize(
    ("ops", "size_wh", "times"),
    [
        (STRETCH, (56, 56), None),
        (STRETCH, (55, 300), "4.1"),
        (STRETCH, (300, 40), "5.6"),
        (CROP, (56, 56), None),
        (CROP, (300, 55), "4.1"),
        (BOX, (160, 20), None),  # is not enlarged more than four times
        (BOX, (159, 159), "4.0"),
        (BOX, (1280, 100), None),
        (BOX, (64, 48), "10.0"),
        (DYNAMIC, (8, 8), None),
        ((ResizeShorter(256),), (8, 8), None),
        ((), (1, 1), None),
    ],
)
def test_pictures_much_smaller_than_what_the_model_sees(ops, size_wh, times):
    warning = size_warning(*seen_by(ops), size_wh)
    assert (warning is None) == (times is None)
    if warning is not None:
        assert warning.startswith(f"the picture is {size_wh[0]} x {size_wh[1]} pixels, this model looks at ")
        assert f"enlarged {times} times" in warning


@pytest.mark.parametrize(
    ("ops", "size_wh", "told"),
    [
        (STRETCH, (1600, 200), None),
        (STRETCH, (1608, 200), "(8.0:1): this model sees it squeezed into 224 x 224"),
        (STRETCH, (200, 2000), "(10.0:1): this model sees it squeezed into 224 x 224"),
        (CROP, (3000, 300), "(10.0:1): this model sees the middle 224 x 224 only"),
        (BOX, (3000, 300), None),
        (DYNAMIC, (3000, 300), None),
        (TILES, (3000, 300), "(10.0:1): this model sees it squeezed into 8 x 8"),
        (replace(TILES, split=True), (3000, 300), None),
    ],
)
def test_pictures_that_the_model_sees_a_part_of_or_distorted(ops, size_wh, told):
    warning = shape_warning(*seen_by(ops), size_wh)
    assert warning == (told and f"the picture is {size_wh[0]} x {size_wh[1]} pixels {told}")


def test_readers_of_lines_and_models_of_texts_have_no_size():
    assert size_warning(*seen_by(STRETCH, "ocr"), (8, 8)) is None
    assert shape_warning(*seen_by(STRETCH, "ocr"), (8000, 8)) is None
