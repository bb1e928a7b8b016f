import sys

import numpy as np
import pytest

from edgekit.bundle.manifest import ImageInput, Letterbox, ResizeShorter, ResizeStretch
from edgekit.errors import EnvironmentLacks
from edgekit.processing.pillow_resize import pillow_resize
from edgekit.processing.preprocess import prepare, shorter_size
from edgekit.types import Frame

PIXELS = np.random.default_rng(3).integers(0, 256, (37, 53, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_it_is_pillow(name):
    Image = pytest.importorskip("PIL.Image")
    spec = ImageInput("x", (ResizeStretch(20, 11, algorithm=f"pillow_{name}"),), "rgb")
    expected = Image.fromarray(PIXELS).resize((20, 11), Image.Resampling[name.upper()])
    assert np.array_equal(prepare(Frame(PIXELS), spec).tensor[0], np.array(expected))


def test_the_order_of_channels_does_not_matter():
    pytest.importorskip("PIL")
    turned = pillow_resize(PIXELS[:, :, ::-1], (9, 9), "pillow_bicubic")
    assert np.array_equal(turned[:, :, ::-1], pillow_resize(PIXELS, (9, 9), "pillow_bicubic"))


def test_other_operations_take_it_too():
    pytest.importorskip("PIL")
    box = Letterbox(40, 40, pad=0, place="start", algorithm="pillow_bilinear")
    tensor = prepare(Frame(PIXELS), ImageInput("x", (box,), "rgb")).tensor[0]
    assert np.array_equal(tensor[:28], pillow_resize(PIXELS, (40, 28), "pillow_bilinear"))
    shorter = prepare(Frame(PIXELS), ImageInput("x", (ResizeShorter(20, "pillow_bilinear", "down"),), "rgb"))
    assert shorter.tensor.shape == (1, 20, 28, 3)


@pytest.mark.parametrize(
    ("size", "shorter", "down", "half_up"),
    [((53, 37), 20, (28, 20), (29, 20)), ((37, 53), 20, (20, 28), (20, 29)), ((5, 5), 7, (7, 7), (7, 7))],
)
def test_rounding(size, shorter, down, half_up):
    assert shorter_size(size, shorter, "down") == down
    assert shorter_size(size, shorter) == half_up


def test_without_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(EnvironmentLacks, match=r"pip install 'edgekit\[pillow\]'"):
        pillow_resize(PIXELS, (9, 9), "pillow_bilinear")
