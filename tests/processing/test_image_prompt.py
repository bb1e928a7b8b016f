"""Prompts with pictures against transformers' own processors, with tokenizers made here."""

from __future__ import annotations

import random

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from edgekit.bundle.manifest import FeaturesHead, TilesInput
from edgekit.errors import BundleError, DataError
from edgekit.processing.image_prompt import check_marks, expand_marks
from edgekit.processing.tiles import cut_tiles
from edgekit.types import Frame
from tests.odd_pictures import scene

FAKE = "<fake_token_around_image>"
ROWS = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
IDEFICS3 = ["<image>", FAKE, "<global-img>", "<end_of_utterance>", *ROWS]
GEMMA3 = ["<image_soft_token>", "<start_of_image>", "<end_of_image>"]
SMALL = FeaturesHead("image_features", tokens=2, placeholder=256, layout="idefics3")
GEMMA = replace(SMALL, layout="gemma3")
HALF = (0.5, 0.5, 0.5)


def byte_tokenizer(special: list[str]) -> Tokenizer:
    """A token a byte, two line feeds merged as in most vocabularies, then the special ones from 256 on."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    letters.remove("Ģ")  # a byte that no UTF-8 has here: its place is taken by two line feeds
    vocabulary = {letter: number for number, letter in enumerate([*letters, "ĊĊ"])}
    made = Tokenizer(models.BPE(vocabulary, [("Ċ", "Ċ")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(text, normalized=False) for text in special])
    return made


@pytest.fixture(scope="module")
def transformers():
    return pytest.importorskip("transformers", reason="transformers is the oracle")


@pytest.fixture(scope="module")
def idefics3(transformers):
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_tokenizer(IDEFICS3), pad_token="!")
    images = transformers.Idefics3ImageProcessorPil(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 16}
    )
    return transformers.Idefics3Processor(images, tokenizer, image_seq_len=2)


@pytest.fixture(scope="module")
def smolvlm(transformers):
    """Its processor without what it needs for films alone."""
    from transformers.models.smolvlm import processing_smolvlm as module

    return module.get_image_prompt_string


@pytest.fixture(scope="module")
def gemma3(transformers):
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=byte_tokenizer(GEMMA3), pad_token="!",
        extra_special_tokens={
            "image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>",
        },
    )  # fmt: skip
    images = transformers.Gemma3ImageProcessorPil(size={"height": 16, "width": 16})
    return transformers.Gemma3Processor(images, tokenizer, image_seq_length=2)


SIZES = [(40, 10), (10, 40), (1, 1), (64, 64), (16, 16)]


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("text", ["User:{}What is this?", "{} a{}\n\n{}{}\n{}\nÄ", "{}{}{}{}{}"])
def test_equal_to_idefics3(idefics3, split, count, text):
    text = text.replace("{}", "<image>", count).replace("{}", "")
    count = text.count("<image>")
    pictures = [scene(*size) for size in SIZES[:count]]
    inputs = idefics3(
        text=text,
        images=[[Image.fromarray(picture) for picture in pictures]],
        do_image_splitting=split,
        add_special_tokens=False,
    )
    spec = TilesInput("x", size=16, longest=64, split=split, mean=HALF, std=HALF)
    tiles = [cut_tiles(Frame(picture), spec) for picture in pictures]
    expanded = expand_marks(text, [(one.rows, one.columns) for one in tiles], SMALL)
    ids = idefics3.tokenizer(expanded, add_special_tokens=False)["input_ids"]
    assert ids == inputs["input_ids"][0]
    assert ids.count(256) == 2 * sum(len(one) for one in tiles)
    values = [one.tensor(i)[0] for one in tiles for i in range(len(one))]
    assert np.array_equal(values, np.array(inputs["pixel_values"])[0])


@pytest.mark.parametrize("grid", [(0, 0), (1, 2), (2, 1), (4, 4), (3, 16)])
@pytest.mark.parametrize("tokens", [1, 64])
def test_equal_to_smolvlm(smolvlm, grid, tokens):
    expected = smolvlm(*grid, tokens, FAKE, "<image>", "<global-img>")
    assert expand_marks("a <image>", [grid], replace(SMALL, tokens=tokens)) == "a " + expected


@pytest.mark.parametrize("text", ["<start_of_image>What?", "a\n<start_of_image> b <start_of_image>\n\n"])
def test_equal_to_gemma3(gemma3, text):
    count = text.count("<start_of_image>")
    inputs = gemma3(text=text, images=[[Image.fromarray(scene(20, 10))] * count], add_special_tokens=False)
    expanded = expand_marks(text, [(0, 0)] * count, GEMMA)
    assert gemma3.tokenizer(expanded, add_special_tokens=False)["input_ids"] == inputs["input_ids"][0]


def test_as_it_is_written():
    assert expand_marks("<image>Why?", [(0, 0)], SMALL) == f"{FAKE}<global-img><image><image>{FAKE}Why?"
    assert expand_marks("<image>", [(1, 2)], replace(SMALL, tokens=1)) == (
        f"{FAKE}<row_1_col_1><image>{FAKE}<row_1_col_2><image>\n\n{FAKE}<global-img><image>{FAKE}"
    )
    assert expand_marks("Hi<start_of_image>", [(0, 0)], GEMMA) == (
        "Hi\n\n<start_of_image><image_soft_token><image_soft_token><end_of_image>\n\n"
    )
    assert expand_marks("no picture", [], SMALL) == "no picture"


@pytest.mark.parametrize(
    ("text", "pictures", "head", "message"),
    [
        ("a", 1, SMALL, "has 0 marks <image>, got 1 picture"),
        ("<image>", 0, SMALL, "has 1 mark <image>, got 0 pictures"),
        ("<image> or <image>?", 1, SMALL, "has 2 marks <image>, got 1 picture"),
        ("<start_of_image>", 2, GEMMA, "has 1 mark <start_of_image>, got 2 pictures"),
        ("<image>", 1, GEMMA, "has 0 marks <start_of_image>, got 1 picture"),
        (f"<image>{FAKE}", 1, SMALL, f"holds {FAKE}, which only stands around pictures"),
        ("<image><global-img>", 1, SMALL, "holds <global-img>"),
        ("<row_12_col_3><image>", 1, SMALL, "holds <row_12_col_3>"),
        ("<image_soft_token>", 0, GEMMA, "holds <image_soft_token>"),
        ("<start_of_image><end_of_image>", 1, GEMMA, "holds <end_of_image>"),
    ],
)
def test_marks_and_pictures_that_do_not_agree(text, pictures, head, message):
    with pytest.raises(DataError, match=f"prompt: the text .*{message}"):
        expand_marks(text, [(0, 0)] * pictures, head)


def test_texts_of_marks_at_random():
    """Whatever is typed: an error, or as many placeholders as the pictures have places, and nothing else changed."""
    rng = random.Random(0)
    parts = [
        "<image>",
        "<",
        "image",
        ">",
        "<image",
        "age>",
        FAKE,
        "<row_1_col_1>",
        "<row__col_1>",
        "\n",
        "ä",
        "\0",
    ]
    taken = 0
    for _ in range(3000):
        text = "".join(rng.choices(parts, [3] + [1] * (len(parts) - 1), k=rng.randrange(8)))
        grids = [(rng.randrange(3), 1 + rng.randrange(2)) for _ in range(rng.randrange(3))]
        grids = [grid if grid[0] else (0, 0) for grid in grids]
        try:
            made = expand_marks(text, grids, SMALL)
        except DataError as error:
            assert error.remedy
            continue
        taken += 1
        assert made.count("<image>") == sum(2 * (rows * columns + 1) for rows, columns in grids)
        assert made.startswith(text.split("<image>")[0])
        assert made.endswith(text.split("<image>")[-1])
    assert taken > 300


def test_a_tokenizer_has_to_make_placeholders():
    check_marks(byte_tokenizer(IDEFICS3), SMALL, "tokenizer.json")
    check_marks(byte_tokenizer(GEMMA3), GEMMA, "tokenizer.json")
    for special, head in ((IDEFICS3, replace(SMALL, placeholder=257)), (GEMMA3, SMALL), (["<x>"], GEMMA)):
        with pytest.raises(
            BundleError, match=r"tokenizer\.json: <image.* twice gives tokens .*, expected 25. twice"
        ):
            check_marks(byte_tokenizer(special), head, "tokenizer.json")
