import numpy as np
import pytest

from edgekit.errors import EnvironmentLacks
from edgekit_export.data import drawing, fonts, lines, vocabulary
from edgekit_export.data.degradation import Degradation, degrade


def test_a_line_depends_on_seed_and_index_alone():
    few, many = lines.lines(3, seed=9), lines.lines(50, seed=9)
    assert [line.sha256 for line in few] == [line.sha256 for line in many[:3]]
    assert many[2].sha256 == many[-48].sha256 == lines.render_line(9, 2).sha256
    assert np.array_equal(few[1].image, many[1].image)


def test_seeds_share_no_line():
    digests = {lines.render_line(seed, i).sha256 for seed in (1, 2, 3) for i in range(40)}
    assert len(digests) == 120


def test_lines_are_pictures_of_their_text():
    sample = lines.lines(60, seed=4)[:]
    heights = [line.image.shape[0] for line in sample]
    assert all(line.image.dtype == np.uint8 and line.image.shape[2] == 3 for line in sample)
    assert min(heights) >= 10
    assert max(heights) <= 110
    assert len(set(heights)) > 20
    assert all(line.image.shape[1] > 0.15 * line.image.shape[0] * len(line.text) for line in sample)
    assert all(line.text and line.text.isascii() and line.text.isprintable() for line in sample)
    assert all(line.text == line.text.strip() for line in sample)
    assert np.mean([line.image.std() for line in sample]) > 15  # there is something to see


@pytest.mark.parametrize("index", [3, -4])
def test_past_the_end(index):
    with pytest.raises(IndexError, match="of 3"):
        lines.lines(3, seed=0)[index]
    assert len(lines.lines(3, seed=0)) == 3


def test_texts_are_varied_and_within_both_alphabets():
    rng = np.random.default_rng(0)
    texts = [vocabulary.text(rng) for _ in range(2000)]
    assert len(set(texts)) > 1900
    assert max(map(len, texts)) <= 60
    used = set("".join(texts))
    assert used <= {chr(code) for code in range(32, 127)}
    assert len(used) > 80
    digits = sum(c.isdigit() for text in texts for c in text) / sum(map(len, texts))
    assert 0.15 < digits < 0.45


def test_words_are_plain_and_many():
    assert len(vocabulary.WORDS) > 1000
    assert len(set(vocabulary.WORDS)) == len(vocabulary.WORDS)
    assert all(word.isalpha() and word.islower() for word in vocabulary.WORDS)


@pytest.mark.parametrize("name", fonts.NAMES)
def test_every_typeface_draws_all_of_ascii_differently(name):
    printable = [chr(code) for code in range(33, 127)]
    masks = [drawing.ink_mask(character, name, 32) for character in printable]
    shapes = {(mask.shape, mask.tobytes()) for mask in masks}
    assert len(shapes) >= (94 - 26 - 2 if name in fonts.CAPITALS else 92)  # ' and | may look alike
    assert all(mask.max() == 255 or mask.max() > 100 for mask in masks)


def test_text_in_a_typeface_without_small_letters_is_upper_case(monkeypatch):
    monkeypatch.setattr(fonts, "NAMES", ("amatic-bold",))
    texts = [line.text for line in lines.lines(20, seed=2)]
    assert all(text == text.upper() for text in texts)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(fonts.SOURCES, "odd", (("no_such_package", "files"), "Odd.ttf"))
    with pytest.raises(
        EnvironmentLacks, match=r"typeface odd: expected Odd.ttf in the Python package no_such"
    ):
        fonts.path("odd")
    monkeypatch.setitem(fonts.SOURCES, "other", (("matplotlib", "mpl-data/fonts/ttf"), "Nope.ttf"))
    with pytest.raises(EnvironmentLacks, match="Nope.ttf"):
        fonts.path("other")


def test_spacing_widens_a_line():
    close, wide = (drawing.ink_mask("spacing", "stix", 40, spacing) for spacing in (0.0, 0.25))
    assert wide.shape[1] - close.shape[1] == pytest.approx(6 * 10, abs=6)


def test_nothing_but_space_is_one_pixel():
    assert drawing.ink_mask(" ", "stix", 40).shape == (1, 1)


@pytest.mark.parametrize("contrast", [30.0, 120.0, 220.0])
def test_palette_keeps_its_contrast(contrast):
    luma = np.asarray([0.299, 0.587, 0.114])
    found = []
    for seed in range(40):
        colors = drawing.palette(np.random.default_rng(seed), contrast)
        found.append(abs(float(luma @ colors.ink - luma @ colors.paper)))
    assert np.median(found) == pytest.approx(contrast, abs=12)


def picture() -> np.ndarray:
    values = np.full((40, 120, 3), 200.0, np.float32)
    values[10:30, 20:100:6] = 30.0
    return values


def test_no_degradation_only_rounds():
    result = degrade(picture(), Degradation(), np.random.default_rng(0))
    assert np.array_equal(result, picture().astype(np.uint8))


@pytest.mark.parametrize(
    "how",
    [
        Degradation(blur_px=2.0),
        Degradation(shrink=0.2),
        Degradation(motion_px=9, motion_angle=0.0),
    ],
)
def test_blur_takes_contrast(how):
    result = degrade(picture(), how, np.random.default_rng(0))
    assert result.shape == (40, 120, 3)
    assert result[15:25, 30:90].std() < 0.5 * picture()[15:25, 30:90].std()


def test_motion_along_the_strokes_keeps_them():
    result = degrade(
        picture(), Degradation(motion_px=9, motion_angle=float(np.pi / 2)), np.random.default_rng(0)
    )
    assert result[16:24, 30:90].std() == pytest.approx(picture()[16:24, 30:90].std(), rel=0.05)


@pytest.mark.parametrize("shrink", [1.0, 0.5])
def test_noise_has_its_strength_and_its_seed(shrink):
    grey = np.full((60, 60, 3), 128.0, np.float32)
    how = Degradation(noise=12.0, shrink=shrink)
    first, again, other = (degrade(grey, how, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 0.6 * 12 * (shrink**0.5) < first.std() < 12.6


def test_jpeg_changes_a_little():
    result = degrade(picture(), Degradation(quality=40), np.random.default_rng(0))
    difference = np.abs(result.astype(int) - picture().astype(int))
    assert 0.5 < difference.mean() < 12
