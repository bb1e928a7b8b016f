"""Tiles against transformers' own processors, on odd picture files and on sizes drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from edgekit.bundle.manifest import TilesInput
from edgekit.errors import DataError
from edgekit.processing.images import read_picture
from edgekit.processing.tiles import Tiles, cut_tiles, longest_size, split_size
from edgekit.types import Frame
from tests.odd_pictures import PICTURES, scene, write_pictures

HALF = (0.5, 0.5, 0.5)
SPEC = TilesInput("pixel_values", size=64, longest=256, split=True, mean=HALF, std=HALF)
GEMMA = replace(SPEC, size=96, longest=None, split=False, algorithm="pillow_bilinear")

REFUSED = ["floats.tif"]
TURNED = ["turned-2.jpg", "turned-3.jpg", "turned-5.jpg", "turned-6.jpg", "turned-6.png", "turned-8.jpg"]
SATURATED = ["grey-16.png", "grey-16.tif"]
ROUNDED = ["cmyk.jpg"]
"""Files that the reference opens otherwise; the tests at the end of this file say how. All others are the same."""


@pytest.fixture(scope="module")
def transformers():
    return pytest.importorskip("transformers", reason="transformers is the oracle")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("odd"))


def stacked(tiles: Tiles) -> np.ndarray:
    return np.concatenate([tiles.tensor(i) for i in range(len(tiles))])


def rgb(path):
    return np.ascontiguousarray(read_picture(path).pixels[..., ::-1])


def pillow(path):
    with Image.open(path) as image:
        return image.copy()


def reference(transformers, spec: TilesInput, image: Image.Image, family: str = "SmolVLM"):
    """Tiles, rows and columns as transformers has them."""
    given = {"image_mean": list(spec.mean), "image_std": list(spec.std), "return_row_col_info": True}
    made = getattr(transformers, f"{family}ImageProcessorPil")(
        size={"longest_edge": spec.longest}, max_image_size={"longest_edge": spec.size},
        do_image_splitting=spec.split, **given,
    )(image)  # fmt: skip
    return np.asarray(made["pixel_values"])[0], made["rows"][0][0], made["cols"][0][0]


def assert_equal(transformers, spec: TilesInput, frame: Frame, image: Image.Image, family: str = "SmolVLM"):
    values, rows, columns = reference(transformers, spec, image, family)
    tiles = cut_tiles(frame, spec)
    assert (tiles.rows, tiles.columns) == (rows, columns)
    got = stacked(tiles)
    assert got.dtype == values.dtype == np.float32
    assert got.shape == values.shape == (rows * columns + 1, 3, spec.size, spec.size)
    assert np.array_equal(got, values)


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("name", [name for name in PICTURES if name not in REFUSED])
def test_equal_to_the_bit(transformers, files, name, split):
    frame = read_picture(files[name])
    otherwise = name in TURNED + SATURATED + ROUNDED
    image = Image.fromarray(rgb(files[name])) if otherwise else pillow(files[name])
    assert_equal(transformers, replace(SPEC, split=split), frame, image)


@pytest.mark.parametrize("name", ["1x1.png", "30x4000.png", "photo.jpg"])
@pytest.mark.parametrize(("family", "longest", "size"), [("SmolVLM", 2048, 512), ("Idefics3", 1456, 364)])
def test_equal_at_the_sizes_of_published_models(transformers, files, name, family, longest, size):
    spec = replace(SPEC, longest=longest, size=size)
    assert_equal(transformers, spec, read_picture(files[name]), pillow(files[name]), family)


@pytest.mark.parametrize("seed", range(30))
def test_equal_at_other_sizes_means_and_algorithms(transformers, seed):
    rng = np.random.default_rng(seed)
    width, height = (int(side) for side in np.exp(rng.uniform(0, 6, 2)).astype(int))
    mean, std = (tuple(float(v) for v in rng.uniform(0.1, 0.9, 3)) for _ in range(2))
    spec = TilesInput(
        "x", size=int(rng.integers(8, 48)), longest=int(rng.integers(1, 200)), split=seed % 3 != 0, mean=mean, std=std
    )  # fmt: skip
    pixels = scene(width, height)
    assert_equal(transformers, spec, Frame(pixels), Image.fromarray(pixels), "Idefics3")


@pytest.mark.parametrize("name", [name for name in PICTURES if name not in REFUSED])
def test_gemma_to_the_bit(transformers, files, name):
    image = Image.fromarray(rgb(files[name]))
    processor = transformers.Gemma3ImageProcessorPil(size={"height": 96, "width": 96})
    tiles = cut_tiles(read_picture(files[name]), GEMMA)
    assert (tiles.rows, tiles.columns, len(tiles)) == (0, 0, 1)
    assert np.array_equal(tiles.tensor(0), np.asarray(processor(image)["pixel_values"]))


def test_sizes_of_every_shape(transformers):
    """The arithmetic alone, of many shapes, where a rounding in another order would show."""
    from transformers.models.smolvlm import image_processing_pil_smolvlm as theirs

    rng = np.random.default_rng(0)
    for width, height, longest in np.exp(rng.uniform(0, [10, 10, 8.3], (20_000, 3))).astype(int).tolist():
        pixels = np.broadcast_to(np.uint8(0), (3, height, width))
        expected = theirs.get_resize_output_image_size(pixels, longest)[::-1]
        assert longest_size((width, height), longest) == expected, (width, height, longest)
        split = split_size(expected, 64)
        assert min(split) >= 64
        assert max(split) <= -(-(longest + longest % 2) // 64) * 64


def test_first_numbers_of_a_picture_of_one_pixel():
    """Without transformers: red 0, green 51 and blue 255 are -1, -0.6 and 1; the picture is not split."""
    pixels = np.array([[[0, 51, 255]]], np.uint8)
    for color, given in (("rgb", pixels), ("bgr", pixels[..., ::-1])):
        tiles = cut_tiles(Frame(given, color), replace(SPEC, longest=64))
        assert (tiles.rows, tiles.columns, len(tiles)) == (0, 0, 1)
        made = tiles.tensor(0)
        assert made.shape == (1, 3, 64, 64)
        assert made.min(axis=(0, 2, 3)) == pytest.approx([-1, -0.6, 1], abs=1e-7)
        assert np.array_equal(made.min(axis=(2, 3)), made.max(axis=(2, 3)))


@pytest.mark.parametrize(
    ("size_wh", "rows", "columns"),
    [((300, 100), 2, 4), ((100, 300), 4, 2), ((64, 64), 4, 4), ((1, 1), 4, 4), ((4000, 30), 1, 4)],
)
def test_rows_and_columns(size_wh, rows, columns):
    tiles = cut_tiles(Frame(scene(*size_wh)), SPEC)
    assert (tiles.rows, tiles.columns, len(tiles)) == (rows, columns, rows * columns + 1)
    assert {tile.shape for tile in tiles.pixels} == {(64, 64, 3)}


def opened(path):
    """A file as the reference opens it."""
    from transformers.image_transforms import convert_to_rgb

    return convert_to_rgb(pillow(path), return_numpy=True)


def test_orientation_is_applied_here_and_not_there(transformers, files):
    for name in TURNED:
        assert opened(files[name]).shape == (40, 90, 3)
    for name in ("turned-5.jpg", "turned-6.jpg", "turned-8.jpg", "turned-6.png"):
        assert rgb(files[name]).shape == (90, 40, 3)
    assert np.array_equal(rgb(files["turned-6.png"]), np.rot90(opened(files["turned-6.png"]), -1))
    assert np.array_equal(rgb(files["turned-3.jpg"]), np.rot90(opened(files["turned-3.jpg"]), 2))


def test_sixteen_bits_of_grey_are_cut_to_eight_here_and_saturate_there(transformers, files):
    for name in SATURATED:
        high = scene(70, 50, 1)[..., 0]
        assert np.array_equal(rgb(files[name])[..., 0], high)
        assert np.array_equal(
            opened(files[name])[..., 0], np.where(high > 0, 255, scene(70, 50, 1, seed=1)[..., 0])
        )


def test_ink_differs_by_one_level(transformers, files):
    for name in ROUNDED:
        difference = np.abs(rgb(files[name]).astype(int) - opened(files[name]))
        assert difference.max() == 1


def test_floating_point_pixels_are_refused_here_and_black_there(transformers, files):
    for name in REFUSED:
        with pytest.raises(DataError, match="not a picture that can be read"):
            read_picture(files[name])
        assert opened(files[name]).max() == 0


@pytest.mark.parametrize("height", [1, 3])
def test_arrays_of_one_or_three_rows_are_pictures_here_and_channels_there(transformers, height):
    """The reference guesses where the channels are; a PIL image of the same pixels is read right."""
    from transformers.image_utils import ChannelDimension, infer_channel_dimension_format

    pixels = scene(5, height)
    assert infer_channel_dimension_format(pixels, (1, 3, 4)) is ChannelDimension.FIRST
    assert_equal(transformers, SPEC, Frame(pixels), Image.fromarray(pixels))
