"""Families of text models of the true architecture, small and with random weights, against transformers."""

import numpy as np
import pytest

pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit_export.conformance.text_families import FAMILIES, LABELS, POSITIONS
from edgekit_export.convert.session import session_of
from edgekit_export.quantize import quantize
from edgekit_export.quantize.choose import recipe_for
from edgekit_export.sources.resolve import resolve
from edgekit_export.variants import full_precision
from export.tests.convert.graphs import ops


@pytest.fixture(scope="module", params=list(FAMILIES))
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("family")
    FAMILIES[request.param](folder)
    source = resolve(str(folder))
    graph = source.graphs["model"]
    return request.param, source, graph, full_precision(graph)


def feed_of(session, tokens):
    ids = np.random.default_rng(tokens).integers(5, 100, (1, tokens))
    constant = {"attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    return {spec.name: constant.get(spec.name, ids) for spec in session.inputs}


def test_graph_agrees_with_transformers_at_every_length(made):
    _, _, graph, model = made
    session = session_of(model, threads=1)
    for tokens in (1, 2, 3, 17, graph.spec.input.max_tokens):
        feed = feed_of(session, tokens)
        wanted, got = graph.framework(feed)[0], session.run(feed)[0]
        assert wanted.shape == got.shape
        assert np.abs(wanted - got).max() <= 1e-4


def test_int8_is_a_third_and_near(made):
    _, _, _, model = made
    recipe = recipe_for(model, {})
    assert recipe.name == "dynamic_wi8_afp32"
    reduced = quantize(model, (), recipe).model
    assert reduced.ByteSize() < 0.36 * model.ByteSize()
    full, small = session_of(model, threads=1), session_of(reduced, threads=1)
    signal = noise = 0.0
    for tokens in (2, 5, 17, 40):
        feed = feed_of(full, tokens)
        wanted, got = full.run(feed)[0], small.run(feed)[0]
        signal, noise = signal + float((wanted**2).sum()), noise + float(((wanted - got) ** 2).sum())
    assert 10 * np.log10(signal / noise) > 20


def test_normal_form(made):
    name, source, graph, model = made
    assert not {"If", "Loop", "Scan"} & set(ops(model))
    spec = graph.spec.input
    named = [n for n in (spec.ids, spec.mask, spec.types) if n is not None]
    assert [value.name for value in model.graph.input] == named
    assert (spec.types is not None) == name.startswith(("BERT", "Sentence"))
    assert spec.max_tokens == (48 if name.startswith("Sentence") else POSITIONS)
    assert source.accepts == "text"
    assert source.task == ("embed" if name.startswith("Sentence") else "classify")


def test_labels_and_activation(made):
    name, source, graph, _ = made
    if name.startswith("Sentence"):
        assert graph.spec.head.normalize
        return
    assert source.assets[graph.spec.head.labels].decode().split() == list(LABELS)
    assert graph.spec.head.activation == ("sigmoid" if "several" in name else "softmax")
