from __future__ import annotations

import numpy as np
import pytest

from edgekit.bundle.manifest import ImageInput, Normalize
from edgekit.diagnosis.pixels import to_levels, to_tensor
from edgekit.processing.preprocess import prepare
from edgekit.types import Frame

NORMALIZE = Normalize((123.7, 116.3, 103.5), (58.4, 57.1, 57.4))


@pytest.mark.parametrize("color", ["rgb", "bgr"])
@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize(("dtype", "ops"), [("uint8", ()), ("float32", ()), ("float32", (NORMALIZE,))])
def test_levels_and_tensors_are_the_same_picture(color, layout, dtype, ops) -> None:
    spec = ImageInput("x", ops, color, dtype, layout)
    pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    tensor = prepare(Frame(pixels), spec).tensor
    levels = to_levels(tensor, spec)
    np.testing.assert_allclose(levels, pixels, atol=1e-4)
    again = to_tensor(pixels.astype(np.float32), spec)
    assert (again.dtype, again.shape) == (tensor.dtype, tensor.shape)
    np.testing.assert_allclose(again, tensor, atol=1e-5)


def test_uint8_rounds_and_clips() -> None:
    levels = np.array([[[-3.0, 1.6, 300.0]]], np.float32)
    assert to_tensor(levels, ImageInput("x", (), "rgb")).ravel().tolist() == [0, 2, 255]
    assert to_tensor(levels, ImageInput("x", (), "rgb", "float32")).ravel().tolist() == pytest.approx(
        [-3, 1.6, 300]
    )
