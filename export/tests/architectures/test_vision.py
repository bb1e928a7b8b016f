"""Towers: sizes that a graph can be made of, tensors by name, and positions as transformers computes them."""

from dataclasses import replace

import numpy as np
import pytest

from edgekit.errors import ModelError, UsageError
from edgekit_export.architectures.vision import (
    VisionShape,
    check_size,
    check_vision,
    image_tokens,
    position_rows,
    vision_tensor_shapes,
)

SMOLVLM = VisionShape("idefics3", 512, 16, 768, 12, 12, 3072, 1e-6, "pixel_shuffle", 4, 576)
GEMMA3 = VisionShape("gemma3", 896, 14, 1152, 27, 16, 4304, 1e-6, "average_pool", 4, 2560)


def test_tensors_of_smolvlm():
    sizes = vision_tensor_shapes(SMOLVLM)
    assert sum(int(np.prod(size)) for size in sizes.values()) == 86_433_024 + 7_077_888
    assert sizes["vision.layers.11.mlp.fc2.weight"] == (768, 3072)
    assert sizes["vision.layers.11.mlp.fc1.bias"] == (3072,)
    assert sizes["connector.projection.weight"] == (576, 12288)
    assert "connector.norm.weight" not in sizes


def test_tensors_of_gemma():
    sizes = vision_tensor_shapes(GEMMA3)
    assert sizes["connector.norm.weight"] == (1152,)
    assert sizes["connector.projection.weight"] == (2560, 1152)
    assert sizes["vision.position.weight"] == (4096, 1152)


def test_tokens():
    assert [image_tokens(SMOLVLM, size) for size in (512, 384, 256, 64)] == [64, 36, 16, 1]
    assert image_tokens(GEMMA3, 896) == 256


@pytest.mark.parametrize("size", [0, -64, 63, 100, 576])
def test_sizes_without_positions(size):
    with pytest.raises(UsageError, match="multiple of 64 pixels up to 512"):
        check_size(SMOLVLM, size)


def test_gemma_has_one_size():
    with pytest.raises(UsageError, match="896 pixels only"):
        check_size(GEMMA3, 448)


def test_hostile_shapes():
    check_vision(SMOLVLM, "here")
    with pytest.raises(ModelError, match="5 heads do not divide 768"):
        check_vision(replace(SMOLVLM, heads=5), "here")
    with pytest.raises(ModelError, match="multiple of 64 pixels"):
        check_vision(replace(SMOLVLM, image_size=500), "here")


@pytest.mark.parametrize("grid", [4, 8, 12, 16, 20, 24, 28, 32])
def test_positions_are_those_of_transformers(grid):
    torch = pytest.importorskip("torch")
    edges = torch.arange(1 / 32, 1.0, 1 / 32)
    starts = torch.arange(grid, dtype=torch.float32) * (1.0 / torch.tensor([grid]))
    cells = torch.bucketize(starts.clamp(max=1.0 - 1e-6), edges, right=True)
    wanted = (cells[:, None] * 32 + cells[None]).reshape(-1).numpy()
    assert np.array_equal(position_rows(SMOLVLM, 16 * grid), wanted)


def test_own_size_takes_every_row():
    assert np.array_equal(position_rows(SMOLVLM, 512), np.arange(1024))
    assert np.array_equal(position_rows(replace(GEMMA3, image_size=896), 896), np.arange(4096))
