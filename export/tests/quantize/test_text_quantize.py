"""Text models in codes: the layer's arithmetic, what rounding costs, widths within bytes, and refusal."""

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("gguf", reason="edgekit-export[transformers] is not installed")

from edgekit.errors import DataError  # noqa: E402
from edgekit_export.architectures.shape import EMBEDDING, HEAD, MATRICES, DecoderShape  # noqa: E402
from edgekit_export.quantize.block_grid import Format  # noqa: E402
from edgekit_export.quantize.decoder import decode_layer  # noqa: E402
from edgekit_export.quantize.text_quantize import quantize_plainly, quantize_text  # noqa: E402
from edgekit_export.quantize.text_sensitivity import measure_sensitivity  # noqa: E402
from edgekit_export.quantize.text_stream import (  # noqa: E402
    dense,
    embedded,
    last_norm,
    layer_norms,
    rounded_activations,
)
from edgekit_export.quantize.text_widths import text_matrices  # noqa: E402
from edgekit_export.quantize.widths import (  # noqa: E402
    FORMATS,
    choose_formats,
    smallest_bytes,
    too_small,
)
from edgekit_export.sources.gguf.reader import open_gguf  # noqa: E402
from export.tests.sources.text_checkpoints import tiny_gemma3, tiny_llama, write_gguf  # noqa: E402

SMOLLM2 = {
    "hidden": 576, "layers": 30, "heads": 9, "kv_heads": 3, "head_dim": 64, "intermediate": 1536, "vocabulary": 49152
}  # fmt: skip


@dataclass
class Replaced:
    """A checkpoint with some tensors in codes."""

    model: object
    codes: dict

    @property
    def shape(self):
        return self.model.shape

    def read(self, name):
        return self.codes[name] if name in self.codes else self.model.read(name)


def shape_of(**numbers) -> DecoderShape:
    layers = numbers["layers"]
    return DecoderShape(
        architecture="llama", epsilon=1e-5, activation="silu", ropes=(None,) * layers, windows=(None,) * layers,
        query_scale=0.125, embedding_scale=1.0, head_norms=False, post_norms=False, tied=True, context=2048, **numbers
    )  # fmt: skip


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return open_gguf(write_gguf(tiny_llama(), tmp_path_factory.mktemp("llama") / "model.gguf"))


def sequences(count: int = 24, tokens: int = 32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(3, 280, (count, tokens))


def log_probabilities(model, tokens: np.ndarray):
    x = embedded(model.shape, dense(model, EMBEDDING), tokens)
    with torch.no_grad():
        for i in range(model.shape.layers):
            weights = {n: torch.from_numpy(dense(model, f"layers.{i}.{n}.weight")) for n in MATRICES}
            x = decode_layer(model.shape, i, layer_norms(model, i), lambda n, y, w=weights: y @ w[n].T, x)
        head = dense(model, EMBEDDING if model.shape.tied else HEAD)
        return (last_norm(model, x) @ torch.from_numpy(head).T).log_softmax(-1)


def divergence(model, codes: dict, tokens: np.ndarray) -> float:
    exact, rounded = log_probabilities(model, tokens), log_probabilities(Replaced(model, codes), tokens)
    return float((exact.exp() * (exact - rounded)).sum(-1).mean())


@pytest.mark.parametrize("network", [tiny_llama(), tiny_llama(tie_word_embeddings=False), tiny_gemma3()])
def test_layers_compute_what_transformers_computes(network, tmp_path) -> None:
    model, tokens = open_gguf(write_gguf(network, tmp_path / "model.gguf")), sequences(2, 40)
    with torch.no_grad():
        wanted = network(torch.from_numpy(tokens)).logits.log_softmax(-1)
    assert (log_probabilities(model, tokens) - wanted).abs().max() < 2e-5


def test_activations_are_rounded_by_blocks() -> None:
    x = torch.tensor([[1.0, -127.0, 0.4, 0.6] + [0.0] * 28 + [0.0] * 32])
    assert torch.equal(rounded_activations(x, 32)[0, :4], torch.tensor([1.0, -127.0, 0.0, 1.0]))
    assert torch.equal(rounded_activations(x, 32)[0, 32:], torch.zeros(32))


def test_costs_tell_the_divergence_that_rounding_makes(llama) -> None:
    formats = [Format(4, 32), Format(5, 32), Format(4, 64)]
    costs = measure_sensitivity(llama, sequences(), formats).costs
    assert set(costs) == set(text_matrices(llama.shape).sizes)
    assert costs["layers.0.mlp.down_proj.weight"][2] == np.inf  # 96 inputs
    total = [sum(cost[j] for cost in costs.values()) for j in (0, 1)]
    assert 4.1 < total[0] / total[1] < (31 / 15) ** 2  # less what inputs' own rounding costs
    codes = quantize_plainly(llama, "int4", sequences())
    measured = divergence(llama, codes, sequences(seed=1))
    layers = sum(cost[0] for name, cost in costs.items() if name.startswith("layers"))
    assert 0.4 < measured / layers < 2.5


def test_calibrated_codes_diverge_less_than_rounding_to_nearest(llama) -> None:
    held_out = sequences(seed=1)
    nearest = divergence(llama, quantize_plainly(llama, "int4"), held_out)
    assert divergence(llama, quantize_plainly(llama, "int4", sequences()), held_out) < nearest / 1.2
    assert divergence(llama, quantize_plainly(llama, "int8", sequences()), held_out) < 2e-6


def test_mixed_widths_hold_the_bytes_and_more_bytes_diverge_less(llama) -> None:
    count, held_out, found = (
        sum(a * b for a, b in text_matrices(llama.shape).sizes.values()),
        sequences(seed=1),
        [],
    )
    for bits in (4.3, 5.5, 8.2):
        codes = quantize_text(llama, sequences(), int(count * bits / 8))
        assert (
            count * (bits - 0.3) / 8
            < sum(weight.stored_bytes for weight in codes.values())
            <= count * bits / 8
        )
        for names in text_matrices(llama.shape).stages:
            assert len({(codes[n].bits, codes[n].block, isinstance(codes[n].zeros, int)) for n in names}) == 1
        found.append(divergence(llama, codes, held_out))
    assert found[0] > 2 * found[1] > 8 * found[2]


def test_an_untied_head_is_rounded_too(tmp_path) -> None:
    network = tiny_llama(tie_word_embeddings=False)
    model = open_gguf(write_gguf(network, tmp_path / "model.gguf"))
    codes = quantize_text(model, sequences(8), smallest_bytes(text_matrices(model.shape)) * 2)
    assert set(codes) == set(text_matrices(model.shape).sizes) and HEAD in codes


def test_gemma_is_rounded_through_its_windows_and_norms(tmp_path) -> None:
    model = open_gguf(write_gguf(tiny_gemma3(), tmp_path / "model.gguf"))
    codes = quantize_plainly(model, "int4", sequences(32, 40))
    assert divergence(model, codes, sequences(4, 40, seed=1)) < divergence(
        model, quantize_plainly(model, "int4"), sequences(4, 40, seed=1)
    )


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (np.zeros((0, 4), int), "expected whole numbers"),
        (np.zeros(4, int), "expected whole numbers"),
        (np.zeros((2, 4)), "expected whole numbers"),
        (np.full((2, 4), 288), "expected tokens 0 to 287, got 288 to 288"),
        (np.full((2, 4), -1), "expected tokens 0 to 287, got -1 to -1"),
    ],
)
def test_calibration_that_is_none(llama, tokens, message: str) -> None:
    with pytest.raises(DataError, match=message):
        quantize_text(llama, tokens, 10**6)


def test_a_size_that_nothing_reaches_is_refused_with_the_arithmetic() -> None:
    matrices = text_matrices(shape_of(**SMOLLM2))
    message, remedy = too_small(matrices, 40_000_000, 3_700_000)
    assert message == (
        "134.5 M weights in 40.0 MB less 3.7 MB of tokenizer and graphs: 2.16 bits a weight; "
        "the least that is made has 3.25 (54.6 MB)"
    )
    assert remedy.startswith("allow 58.4 MB")
    costs = {name: (1.0,) * len(FORMATS) for name in matrices.sizes}
    with pytest.raises(DataError, match=r"40\.0 MB: 2\.38 bits a weight"):
        choose_formats(matrices, costs, 40_000_000)
    narrow = choose_formats(matrices, costs, smallest_bytes(matrices))
    assert {(form.bits, form.block, form.symmetric) for form in narrow.values()} == {(3, 64, True)}


def test_inputs_that_no_block_divides() -> None:
    with pytest.raises(DataError, match="expected inputs that blocks of 32, 64 divide, got 72"):
        smallest_bytes(text_matrices(shape_of(**SMOLLM2 | {"intermediate": 72})))
