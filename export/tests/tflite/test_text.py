"""Text models as TFLite, of one length."""

import numpy as np
import pytest

pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit_export.conformance.text_families import FAMILIES
from edgekit_export.quantize import quantize
from edgekit_export.quantize.choose import recipe_for
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.resolve import resolve
from edgekit_export.variants import full_precision
from export.tests.tflite.conftest import WITHOUT

TOKENS = 24


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    pytest.importorskip("litert_torch", reason=WITHOUT)
    from edgekit_export.tflite.convert import convert_text

    folder = tmp_path_factory.mktemp("text")
    FAMILIES["BERT"](folder)
    graph = resolve(str(folder), BareInput(size=TOKENS)).graphs["model"]
    return graph, convert_text(graph.network, graph.spec.input, ["scores"])


def feed_of(tokens, dtype):
    ids = np.zeros((1, TOKENS), dtype)
    ids[0, :tokens] = np.random.default_rng(tokens).integers(5, 100, tokens)
    return {
        "input_ids": ids,
        "attention_mask": (np.arange(TOKENS)[None] < tokens).astype(dtype),
        "token_type_ids": np.zeros_like(ids),
    }


def test_padded_texts_give_what_transformers_gives_of_the_text_alone(made):
    from edgekit_export.tflite.tap import session_of_tflite

    graph, data = made
    session = session_of_tflite(data)
    assert [spec.name for spec in session.inputs] == ["input_ids", "attention_mask", "token_type_ids"]
    assert {spec.dtype for spec in session.inputs} == {"int32"}
    for tokens in (1, 2, 9, TOKENS):
        alone = {name: array[:, :tokens] for name, array in feed_of(tokens, np.int64).items()}
        (got,) = session.run(feed_of(tokens, np.int32))
        assert np.abs(got - graph.framework(alone)[0]).max() < 1e-4


def test_int8_has_small_tables_too(made):
    from edgekit_export.tflite.quantize import quantize_tflite
    from edgekit_export.tflite.tap import session_of_tflite

    graph, data = made
    full = full_precision(graph)
    recipe = recipe_for(full, {})
    reduced = quantize_tflite(data, quantize(full, (), recipe).written, recipe, ())
    assert reduced.recipe == "dynamic_wi8_afp32"
    assert len(reduced.data) < 0.45 * len(data)
    session, small = session_of_tflite(data), session_of_tflite(reduced.data)
    signal = noise = 0.0
    for tokens in (2, 5, 12, TOKENS):
        feed = feed_of(tokens, np.int32)
        wanted, got = session.run(feed)[0], small.run(feed)[0]
        signal, noise = signal + float((wanted**2).sum()), noise + float(((wanted - got) ** 2).sum())
    assert 10 * np.log10(signal / noise) > 18
