"""Decoders on arrays of the caller's: written in place, never copied."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.engines.onnxruntime import OnnxRuntimeEngine, session_options
from edgekit.engines.protocol import DecoderEngine, EngineOptions
from edgekit.errors import ModelError
from tests.decoder_files import HEAD_DIM, HIDDEN, INPUT, KV_HEADS, VOCABULARY, language_folder

PAIRS = [(pair.input, pair.output) for pair in INPUT.past]
ONE = EngineOptions(threads=1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("language")
    language_folder(folder)
    return folder / "fp32/decode.onnx"


def buffers(capacity=8, fill=0.0):
    return [np.full((1, KV_HEADS, capacity, HEAD_DIM), fill, np.float32) for _ in PAIRS]


def feeds(tokens, total, rows):
    rng = np.random.default_rng(tokens)
    return {
        "inputs_embeds": rng.normal(size=(1, tokens, HIDDEN)).astype(np.float32),
        "rows": np.array(rows, np.int64),
        "seqlens_k": np.array([total - 1], np.int32),
        "total_sequence_length": np.array(total, np.int32),
    }


def test_it_writes_the_next_places_and_no_others(path):
    session = OnnxRuntimeEngine().load_decoder(path, ONE, PAIRS)
    assert isinstance(OnnxRuntimeEngine(), DecoderEngine)
    assert {spec.name for spec in session.inputs} == set(feeds(1, 1, [0]))
    assert [spec.name for spec in session.outputs] == ["logits"]
    assert [spec.name for spec in session.shared] == [given for given, _ in PAIRS]
    arrays = buffers(fill=7.0)
    session.attach(arrays)
    (scores,) = session.run(feeds(3, 3, [0, 2]))
    assert scores.shape == (2, VOCABULARY)
    before = [array.copy() for array in arrays]
    assert all((array[:, :, 3:] == 7).all() and (array[:, :, :3] != 7).any() for array in arrays)
    session.run(feeds(1, 4, [0]))
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(np.delete(array, 3, axis=2), np.delete(old, 3, axis=2))
        assert (array[:, :, 3] != 7).any()


def test_results_stay_when_the_next_call_is_made(path):
    session = OnnxRuntimeEngine().load_decoder(path, ONE, PAIRS)
    session.attach(buffers())
    made = [session.run(feeds(1, total, [0]))[0] for total in (1, 2, 3)]
    session.attach(buffers())
    again = [session.run(feeds(1, total, [0]))[0].copy() for total in (1, 2, 3)]
    for one, other in zip(made, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(made[0], made[1])


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, KV_HEADS, 8, HEAD_DIM), np.float64),
        np.zeros((1, KV_HEADS + 1, 8, HEAD_DIM), np.float32),
        np.zeros((1, KV_HEADS, 8), np.float32),
        np.zeros((1, KV_HEADS, HEAD_DIM, 8), np.float32).transpose(0, 1, 3, 2),
    ],
)
def test_arrays_that_do_not_fit(path, wrong):
    session = OnnxRuntimeEngine().load_decoder(path, ONE, PAIRS)
    with pytest.raises(ModelError, match=r"past\.0\.key: expected a buffer float32 1×2×\?×16, got"):
        session.attach([wrong, *buffers()[1:]])


def test_what_cannot_be_run(path):
    session = OnnxRuntimeEngine().load_decoder(path, ONE, PAIRS)
    with pytest.raises(ModelError, match="before it was given buffers"):
        session.run(feeds(1, 1, [0]))
    session.attach(buffers())
    with pytest.raises(ModelError, match=r"decode\.onnx: onnxruntime failed"):
        session.run(feeds(2, 2, [5]))
    with pytest.raises(ModelError, match="has no input 'past.0.key' with an output 'present.9.key'"):
        OnnxRuntimeEngine().load_decoder(path, ONE, [("past.0.key", "present.9.key")])
    with pytest.raises(ModelError, match="no such model file"):
        OnnxRuntimeEngine().load_decoder(path.with_name("gone.onnx"), ONE, PAIRS)


@pytest.mark.parametrize(("spin_us", "allowed"), [(50, "1"), (0, "0")])
def test_threads_spin_as_long_as_asked(spin_us, allowed):
    options = session_options(ONE, spin_us=spin_us)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == allowed
    if spin_us:
        assert options.get_session_config_entry("session.intra_op.spin_duration_us") == "50"
