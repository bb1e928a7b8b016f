"""Towers as graphs: transformers' features, at every size that has positions, in float32 and in codes."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from edgekit.engines.onnxruntime import OnnxRuntimeEngine
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import UsageError
from edgekit_export.architectures.vision import POSITION, VisionShape, image_tokens, vision_tensor_shapes
from edgekit_export.quantize.tiered import TieredFormat, round_tiered
from edgekit_export.vision.write import VISION_WEIGHTS, vision_file, write_vision

towers = pytest.importorskip("export.tests.vision.towers")


def features(folder: Path, shape: VisionShape, size: int, read, pixels: np.ndarray) -> np.ndarray:
    write_vision(folder, shape, [size], read)
    session = OnnxRuntimeEngine().load(folder / vision_file(size), EngineOptions(threads=1))
    return np.concatenate([session.run({"pixel_values": picture[None]})[0] for picture in pixels])


@pytest.mark.parametrize("size", [64, 48, 40, 8])
def test_idefics3_as_transformers(tmp_path, size):
    tensors, reference = towers.idefics3()
    assert {name: value.shape for name, value in tensors.items()} == vision_tensor_shapes(towers.SMALL)
    pixels = towers.pictures(2, size)
    found, wanted = features(tmp_path, towers.SMALL, size, tensors.__getitem__, pixels), reference(pixels)
    assert found.shape == wanted.shape == (2, image_tokens(towers.SMALL, size), 24)
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_gemma3_as_transformers(tmp_path):
    tensors, reference = towers.gemma3()
    assert {name: value.shape for name, value in tensors.items()} == vision_tensor_shapes(towers.GEMMA)
    pixels = towers.pictures(2, 24)
    found, wanted = features(tmp_path, towers.GEMMA, 24, tensors.__getitem__, pixels), reference(pixels)
    assert found.shape == wanted.shape == (2, 9, 24)
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize(("bits", "least_db"), [(8, 30), (6, 24), (4, 12)])
def test_codes_stay_near(tmp_path, bits, least_db):
    tensors, reference = towers.idefics3()

    def read(name):
        value = tensors[name]
        if value.ndim == 1:
            return value
        if name == POSITION:
            return value.astype(np.float16)
        block = 16 if value.reshape(len(value), -1).shape[1] % 32 else 32
        return round_tiered(value.reshape(len(value), -1), TieredFormat(bits, block))

    pixels = towers.pictures(2, 64)
    found, wanted = features(tmp_path, towers.SMALL, 64, read, pixels), reference(pixels)
    noise = 10 * np.log10(np.square(wanted).sum() / np.square(found - wanted).sum())
    assert noise >= least_db


def test_every_dimension_is_a_number(tmp_path):
    tensors, _ = towers.idefics3()
    write_vision(tmp_path, towers.SMALL, [64], tensors.__getitem__)
    graph = onnx.load(tmp_path / vision_file(64), load_external_data=False).graph
    wanted = {"pixel_values": [1, 3, 64, 64], "image_features": [1, 64, 24]}
    for value in (*graph.input, *graph.output):
        assert [dim.dim_value for dim in value.type.tensor_type.shape.dim] == wanted[value.name]
    names = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    for constant in graph.initializer:
        if constant.name in names:
            assert min(onnx.numpy_helper.to_array(constant)) > 0


def test_graphs_of_two_sizes_share_their_weights(tmp_path):
    tensors, reference = towers.idefics3()
    coded = {name: round_tiered(value.reshape(len(value), -1), TieredFormat(4, 16))
             for name, value in tensors.items() if value.ndim > 1 and name != POSITION}  # fmt: skip
    read = {**tensors, **coded}.__getitem__
    sizes = {}
    for name, wanted in (("one", [64]), ("both", [64, 48])):
        (tmp_path / name).mkdir()
        write_vision(tmp_path / name, towers.SMALL, wanted, read)
        sizes[name] = (tmp_path / name / VISION_WEIGHTS).stat().st_size
    more = sizes["both"] - sizes["one"]
    assert 0 <= more - 4 * 12 * 12 * 32 < 64  # positions only
    pixels = towers.pictures(1, 48)
    found = (
        OnnxRuntimeEngine()
        .load(tmp_path / "both" / vision_file(48), EngineOptions(threads=1))
        .run({"pixel_values": pixels})
    )
    wanted = reference(pixels)
    assert 10 * np.log10(np.square(wanted).sum() / np.square(found[0] - wanted).sum()) >= 12


def test_a_size_without_positions(tmp_path):
    tensors, _ = towers.idefics3()
    with pytest.raises(UsageError, match="multiple of 8 pixels up to 64"):
        write_vision(tmp_path, towers.SMALL, [72], tensors.__getitem__)
