"""Towers rounded layer by layer: as the graph computes it, and nearer to the reference than to the nearest alone."""

import numpy as np
import pytest

from edgekit.engines.onnxruntime import OnnxRuntimeEngine
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import DataError, UsageError
from edgekit_export.architectures.vision import PATCH_WEIGHT, POSITION, PROJECTION
from edgekit_export.quantize.tiered import TieredFormat, round_tiered
from edgekit_export.vision.write import vision_file, write_vision

towers = pytest.importorskip("export.tests.vision.towers")
torch = pytest.importorskip("torch")

from edgekit_export.quantize.vision_rounding import round_vision  # noqa: E402
from edgekit_export.quantize.vision_tower import (  # noqa: E402
    checked_pictures,
    connect,
    embed_patches,
    encode_layer,
    rounded_tokens,
)


def db(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10(np.square(wanted).sum() / np.square(found - wanted).sum()))


def through(shape, read, linear, pixels: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        x = embed_patches(shape, read, linear, pixels)
        for index in range(shape.layers):
            x = encode_layer(shape, index, read, linear, x)
        return connect(shape, read, linear, x).numpy()


def in_graph(folder, shape, read, pixels: np.ndarray) -> np.ndarray:
    folder.mkdir()
    write_vision(folder, shape, [pixels.shape[2]], read)
    session = OnnxRuntimeEngine().load(folder / vision_file(pixels.shape[2]), EngineOptions(threads=1))
    return np.concatenate([session.run({"pixel_values": picture[None]})[0] for picture in pixels])


def matrices(tensors, bits: int) -> dict[str, TieredFormat]:
    return {name: TieredFormat(8 if name == PATCH_WEIGHT else bits, 16)
            for name, value in tensors.items() if value.ndim > 1 and name != POSITION}  # fmt: skip


@pytest.mark.parametrize(("kind", "size"), [("idefics3", 64), ("idefics3", 48), ("gemma3", 24)])
def test_the_tower_is_transformers(kind, size):
    tensors, reference = getattr(towers, kind)()
    shape = towers.SMALL if kind == "idefics3" else towers.GEMMA
    pixels = towers.pictures(3, size)

    def linear(name, x):
        return x @ torch.from_numpy(np.ascontiguousarray(tensors[name])).flatten(1).T

    wanted = reference(pixels)
    found = through(shape, tensors.__getitem__, linear, pixels)
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_rounded_tokens_are_those_of_the_graph(tmp_path):
    tensors, _ = towers.idefics3()
    codes = {name: round_tiered(tensors[name].reshape(len(tensors[name]), -1), form)
             for name, form in matrices(tensors, 8).items()}  # fmt: skip
    pixels = towers.pictures(2, 64)

    def linear(name, x):
        return rounded_tokens(x) @ torch.from_numpy(codes[name].dequantized()).T

    found = in_graph(tmp_path / "g", towers.SMALL, {**tensors, **codes}.__getitem__, pixels)
    assert db(through(towers.SMALL, tensors.__getitem__, linear, pixels), found) >= 45  # ties go either way


@pytest.mark.parametrize("kind", ["idefics3", "gemma3"])
def test_nearer_than_to_the_nearest(tmp_path, kind):
    tensors, reference = getattr(towers, kind)()
    shape = towers.SMALL if kind == "idefics3" else towers.GEMMA
    forms, told = matrices(tensors, 4), []
    seen = towers.pictures(24, shape.image_size, seed=1)
    coded = round_vision(shape, tensors.__getitem__, seen, forms, lambda *step: told.append(step))
    assert {name: (weight.bits, weight.shape) for name, weight in coded.items()} == {
        name: (forms[name].bits, (len(tensors[name]), tensors[name][0].size)) for name in forms
    }
    nearest = {
        name: round_tiered(tensors[name].reshape(coded[name].shape), form) for name, form in forms.items()
    }
    pixels = towers.pictures(4, shape.image_size, seed=2)
    wanted = reference(pixels)
    fitted = db(wanted, in_graph(tmp_path / "f", shape, {**tensors, **coded}.__getitem__, pixels))
    plain = db(wanted, in_graph(tmp_path / "n", shape, {**tensors, **nearest}.__getitem__, pixels))
    assert fitted >= plain + 2
    assert told[-1] == ("round", shape.layers + 1, shape.layers + 1)


def test_what_has_no_format_stays(tmp_path):
    tensors, _ = towers.idefics3()
    coded = round_vision(
        towers.SMALL, tensors.__getitem__, towers.pictures(2, 64), {PROJECTION: TieredFormat(4)}
    )
    assert list(coded) == [PROJECTION]
    wanted = round_tiered(tensors[PROJECTION], TieredFormat(4))
    assert not np.array_equal(coded[PROJECTION].codes, wanted.codes)


@pytest.mark.parametrize("size", [(0, 3, 64, 64), (2, 1, 64, 64), (2, 3, 64, 48), (3, 64, 64)])
def test_no_such_pictures(size):
    with pytest.raises(DataError, match="prepared pictures"):
        checked_pictures(towers.SMALL, np.zeros(size))


def test_no_such_positions():
    with pytest.raises(UsageError, match="multiple of 8"):
        checked_pictures(towers.SMALL, np.zeros((1, 3, 20, 20)))
