"""silero-vad against its own package: scores, stretches of speech, and what int8 changes."""

from __future__ import annotations

from importlib import import_module
from shutil import which

import numpy as np
import onnxruntime
import pytest

from edgekit.bundle.manifest import ActivityHead
from edgekit.processing.speech import speech_segments
from edgekit.processing.windows import windows
from edgekit.types import Sound
from edgekit_export.convert.session import session_of
from edgekit_export.data.spoken import speak
from edgekit_export.data.voices import draw_voice
from edgekit_export.quantize.precision import reduce_precision
from edgekit_export.quantize.recipe import recipe_from
from edgekit_export.sources import resolve as resolving
from edgekit_export.variants import full_precision

FILE = "silero_vad/data/silero_vad.onnx"


@pytest.fixture(scope="module")
def source(fetched):
    wheel = fetched("silero-vad", "weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolving, "fetch", lambda package: wheel)
        return resolving.resolve("silero-vad")


@pytest.fixture(scope="module")
def sounds():
    if which("espeak-ng") is None:
        pytest.skip("espeak-ng speaks the sentences and is not installed (apt-get install espeak-ng)")
    return [speak(seed)[0] for seed in range(10)]


def scores_of(session, source, sound):
    spec, state, found = source.graphs["model"].spec.input, np.zeros((2, 1, 128), np.float32), []
    for window in windows(sound, spec):
        score, state = session.run({"input": window, "state": state})
        found.append(score[0, 0])
    return np.array(found)


@pytest.fixture(scope="module")
def full(source):
    return full_precision(source.graphs["model"])


def test_one_network_is_left(full):
    assert [given.name for given in full.graph.input] == ["input", "state"]
    assert [given.name for given in full.graph.output] == ["output", "stateN"]
    assert {n.op_type for n in full.graph.node} & {"If", "Shape", "Size", "Equal"} == set()
    assert full.ByteSize() < 1_250_000  # the file holds 2.3 MB


def test_scores_are_those_of_the_packages_own_run(fetched, source, full, sounds):
    from edgekit_export.sources.packages import read_member

    given = onnxruntime.InferenceSession(read_member(fetched("silero-vad", "weights"), FILE))
    ours, worst, frames = session_of(full), 0.0, 0
    for sound in sounds[:4]:
        state, context, theirs = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32), []
        for start in range(0, len(sound.samples), 512):  # as silero_vad.utils_vad.OnnxWrapper does
            chunk = np.zeros(512, np.float32)
            chunk[: len(sound.samples[start : start + 512])] = sound.samples[start : start + 512]
            x = np.concatenate([context, chunk])[None]
            score, state = given.run(None, {"input": x, "state": state, "sr": np.array(16_000)})
            context = x[0, -64:]
            theirs.append(score[0, 0])
        made = scores_of(ours, source, sound)
        worst, frames = max(worst, float(np.abs(made - theirs).max())), frames + len(made)
    print(f"silero-vad, {frames} frames: largest difference {worst:.3g}")  # noqa: T201
    assert frames > 500
    assert worst <= 1e-3


def test_int8_hears_the_same(source, full, sounds):
    feeds, session = [], session_of(full)
    for seed in range(4):
        state = np.zeros((2, 1, 128), np.float32)
        for window in windows(draw_voice(seed, 2.0), source.graphs["model"].spec.input):
            feeds.append({"input": window, "state": state})
            state = session.run(feeds[-1])[1]
    recipe = recipe_from(source.graphs["model"].spec.quantize)
    reduced = reduce_precision(full, recipe, feeds, lambda *_: None)
    assert reduced.model.ByteSize() < 330_000
    assert reduced.report["weight8"]["layers"] == 7  # six convolutions and the LSTM
    small, differ, frames = session_of(reduced.model), 0, 0
    for sound in sounds:
        one, other = (scores_of(s, source, sound) >= 0.5 for s in (session, small))
        differ, frames = differ + int((one != other).sum()), frames + len(one)
    assert frames > 2000
    assert differ / frames <= 0.01


@pytest.mark.parametrize("seed", range(20))
def test_stretches_are_those_of_the_package(seed, fetched, monkeypatch):
    pytest.importorskip("torch", reason="the package needs it to be imported")
    monkeypatch.syspath_prepend(str(fetched("silero-vad", "weights")))
    utils = import_module("silero_vad.utils_vad")
    rng = np.random.default_rng(seed)
    steps = np.clip(np.cumsum(rng.normal(size=200) * 0.25) % 2 - 0.5, 0, 1).astype(np.float32)
    head = ActivityHead(
        tensor="x",
        threshold=float(rng.uniform(0.3, 0.7)),
        end_threshold=float(rng.uniform(0.05, 0.3)),
        min_silence_ms=int(rng.integers(0, 300)),
        min_speech_ms=int(rng.integers(0, 400)),
        pad_ms=int(rng.integers(0, 200)),
    )
    total = 200 * 512 - int(rng.integers(0, 512))
    theirs = utils.get_speech_timestamps_from_probs(
        steps.tolist(),
        threshold=head.threshold,
        neg_threshold=head.end_threshold,
        min_silence_duration_ms=head.min_silence_ms,
        min_speech_duration_ms=head.min_speech_ms,
        speech_pad_ms=head.pad_ms,
        audio_length_samples=total,
    )
    ours = speech_segments(steps, 512, total, 16_000, head)
    assert ours == [(found["start"], found["end"]) for found in theirs]
    assert len(ours) > 1


def test_made_voices_are_heard_and_silence_is_not(source, full):
    session = session_of(full)
    heard = [scores_of(session, source, draw_voice(seed, 2.0)).max() for seed in range(6)]
    assert min(heard) > 0.5
    silence = Sound(np.zeros(16_000, np.float32), 16_000)
    assert scores_of(session, source, silence).max() < 0.1
