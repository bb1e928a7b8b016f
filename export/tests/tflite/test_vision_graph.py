"""A vision tower as TFLite gives what transformers gives; a decoder that takes embeddings, what one of ids gives."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("ai_edge_litert", reason="edgekit[litert] is not installed")

from edgekit.bundle.ranges import BytesRange  # noqa: E402
from edgekit.bundle.tflite_model import check_tflite  # noqa: E402
from edgekit.engines.protocol import EngineOptions  # noqa: E402
from edgekit.engines.registry import engine_for  # noqa: E402
from edgekit.errors import UsageError  # noqa: E402
from edgekit_export.quantize.block_grid import Format, round_nearest  # noqa: E402
from edgekit_export.quantize.blockwise import Blockwise  # noqa: E402
from edgekit_export.quantize.tiered import Tiered, TieredFormat, round_tiered  # noqa: E402
from edgekit_export.sources.text_source import text_source  # noqa: E402
from edgekit_export.tflite.text_graph import embedding_graph  # noqa: E402
from edgekit_export.tflite.text_model import text_input, text_tflite  # noqa: E402
from edgekit_export.tflite.vision_graph import vision_tflite  # noqa: E402
from export.tests.sources.vision_checkpoints import (  # noqa: E402
    tiny_gemma3_pictures,
    tiny_idefics3,
    write_vision_folder,
)

MADE = {"idefics3": tiny_idefics3, "gemma3": tiny_gemma3_pictures}
RNG = np.random.default_rng(3)


@pytest.fixture(scope="module", params=MADE)
def checkpoint(request, tmp_path_factory):
    """A network of transformers, and the same as it is read by us."""
    network = MADE[request.param]().eval()
    folder = write_vision_folder(network, tmp_path_factory.mktemp(request.param) / "model")
    return network, text_source(str(folder)).model


def features(data, folder, pixels):
    check_tflite(BytesRange(data), "vision.tflite")
    (folder / "vision.tflite").write_bytes(data)
    session = engine_for("tflite").load(folder / "vision.tflite", EngineOptions(threads=1))
    return session.run({"pixel_values": pixels})[0]


def expected(network, pixels):
    with torch.no_grad():
        given = torch.from_numpy(pixels)
        found = network.get_image_features(given if "Gemma3" in type(network).__name__ else given[None])
    found = getattr(found, "pooler_output", found)
    return (found[0] if isinstance(found, list | tuple) else found).numpy().reshape(1, -1, 64)


def test_features_are_those_of_transformers(checkpoint, tmp_path):
    network, model = checkpoint
    pixels = RNG.uniform(-1, 1, (1, 3, 64, 64)).astype(np.float32)
    found = features(vision_tflite(model.eyes.shape, 64, model.eyes.read), tmp_path, pixels)
    wanted = expected(network, pixels)
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_a_smaller_picture_takes_positions_of_the_large_table(tmp_path):
    network = tiny_idefics3().eval()
    model = text_source(str(write_vision_folder(network, tmp_path / "model"))).model
    pixels = RNG.uniform(-1, 1, (1, 3, 48, 48)).astype(np.float32)
    found = features(vision_tflite(model.eyes.shape, 48, model.eyes.read), tmp_path, pixels)
    wanted = expected(network, pixels)
    assert found.shape == (1, 9, 64)
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_sizes_that_the_tower_does_not_take_are_refused(checkpoint):
    model = checkpoint[1]
    with pytest.raises(UsageError, match="image size"):
        vision_tflite(model.eyes.shape, 40, model.eyes.read)


def test_codes_of_8_bits_are_multiplied_to_16_bits(checkpoint, tmp_path):
    _, model = checkpoint

    def coded(name):
        found = model.eyes.read(name)
        is_matrix = found.ndim == 2 and "position" not in name
        return round_nearest(found, Format(8, 32, symmetric=True)) if is_matrix else found

    def real(name):
        found = coded(name)
        return found.dequantized() if isinstance(found, Blockwise) else found

    pixels = RNG.uniform(-1, 1, (1, 3, 64, 64)).astype(np.float32)
    whole, small = (vision_tflite(model.eyes.shape, 64, read) for read in (real, coded))
    wanted, found = features(whole, tmp_path, pixels), features(small, tmp_path, pixels)
    assert np.abs(found - wanted).max() <= 2e-3 * np.abs(wanted).max()
    assert len(small) < 0.5 * len(whole)  # operators of a tiny graph weigh as much as its codes


def test_codes_with_a_scale_an_output_are_multiplied_to_8_bits(checkpoint, tmp_path):
    _, model = checkpoint

    def coded(name):
        found = model.eyes.read(name)
        is_matrix = found.ndim == 2 and "position" not in name
        return round_tiered(found, TieredFormat(4)) if is_matrix else found

    def real(name):
        found = coded(name)
        return found.dequantized() if isinstance(found, Tiered) else found

    pixels = RNG.uniform(-1, 1, (1, 3, 64, 64)).astype(np.float32)
    whole, small = (vision_tflite(model.eyes.shape, 64, read) for read in (real, coded))
    wanted, found = features(whole, tmp_path, pixels), features(small, tmp_path, pixels)
    assert (
        0 < np.abs(found - wanted).mean() <= 0.1 * np.abs(wanted).mean()
    )  # one digit, and weights that are loud
    assert len(small) < 0.5 * len(whole)


def test_a_decoder_of_embeddings_gives_what_one_of_ids_gives(checkpoint, tmp_path):
    _, model = checkpoint
    context, ids = 32, (np.arange(12) * 7 % 280)[None]
    options, engine = EngineOptions(threads=1), engine_for("tflite")
    (tmp_path / "embed.tflite").write_bytes(embedding_graph(model.shape, model.read))
    embeds = engine.load(tmp_path / "embed.tflite", options).run({"input_ids": ids})[0]
    assert embeds.shape == (1, 12, model.shape.hidden)
    found = []
    for takes, given in (("ids", ids), ("embeddings", embeds)):
        spec = text_input(model.shape, context, takes)
        path = tmp_path / f"{takes}.tflite"
        path.write_bytes(text_tflite(model.shape, context, model.read, takes=takes))
        check_tflite(BytesRange(path.read_bytes()), path.name)
        pairs = [(pair.input, pair.output) for pair in spec.past]
        decode = engine.load_decoder(path, options, pairs)
        size = (1, model.shape.kv_heads, context, model.shape.head_dim)
        decode.attach([np.zeros(size, np.float32) for _ in pairs])
        found.append(
            decode.run(
                {
                    spec.tensor: given,
                    "rows": np.arange(12),
                    "seqlens_k": np.array([11], np.int32),
                    "total_sequence_length": np.array(12, np.int32),
                }
            )[0]
        )
    assert np.array_equal(found[0], found[1])
