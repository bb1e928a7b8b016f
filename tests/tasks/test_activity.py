from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import ActivityHead, Carried, EmbedHead, Model, SoundInput, Variant
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import BundleError, DataError
from edgekit.processing import windows
from edgekit.processing.wav import write_wav
from edgekit.tasks.activity import Activity
from edgekit.tasks.encoder import encoder_of
from edgekit.tasks.golden import decision, margin
from edgekit.tasks.trace import Trace
from edgekit.types import Sound
from tests.tasks.sound_sessions import Graph, engine_of, loudness

INPUT = SoundInput(
    tensor="input",
    rate_hz=1000,
    window_samples=16,
    context_samples=4,
    carried=(Carried(input="state", output="next"),),
)
HEAD = ActivityHead(tensor="score", min_silence_ms=48, min_speech_ms=32, pad_ms=10)


def made(graph=None, given=INPUT, head=HEAD):
    model = Model(path="m.onnx", format="onnx", input=given, head=head)
    variant = Variant(
        name="fp32", recipe="full_precision", precision="fp32", models={"model": model}, bytes=1
    )
    return Activity(
        "b", variant, Path(), engine_of({"m.onnx": graph or loudness()}), EngineOptions(threads=1)
    )


def sound(*windows):
    """One loudness for each window of 16 samples."""
    return Sound(np.repeat(np.float32(windows), 16), 1000)


def test_scores_frames_and_stretches():
    found = made()(sound(0, 0, 0.9, 0.9, 0.9, 0.9, 0, 0, 0, 0, 0, 0))
    expected = [0, 0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.45, 0.225, 0.1125, 0.05625, 0.028125]
    np.testing.assert_allclose(found.scores, expected, rtol=1e-6)  # the first quiet window hears its context
    assert found.step_s == pytest.approx(0.016)
    np.testing.assert_allclose(found.segments_s, [[0.022, 0.138]], atol=1e-6)
    assert found.speech.tolist() == [False] * 2 + [True] * 5 + [False] * 5
    assert found.seconds_of_speech == pytest.approx(0.116)
    assert decision(found) == "0.022 0.138"
    assert margin(found, []) == pytest.approx(0.05)
    assert len(found) == 1


def test_windows_have_context_and_the_last_is_padded():
    graph, trace = loudness(), Trace()
    made(graph)(Sound(np.arange(1, 21, dtype=np.float32) / 100, 1000), trace)
    first, second = (call["input"][0] * 100 for call in graph.given)
    np.testing.assert_allclose(first, [0, 0, 0, 0, *range(1, 17)], atol=1e-5)
    np.testing.assert_allclose(second, [13, 14, 15, 16, 17, 18, 19, 20, *[0] * 12], atol=1e-5)
    assert graph.given[0]["state"] == 0
    assert graph.given[1]["state"] == pytest.approx(0.16)
    assert [[name for name, _ in call.told] for call in trace.calls] == [["score"], ["score"]]


def test_cutting_counts_as_preparing(monkeypatch):
    clock = {"ns": 0}

    def slow(samples, spec):
        clock["ns"] += 5
        return samples

    monkeypatch.setattr(windows, "_features", slow)
    graph, trace = loudness(), Trace(lambda: clock["ns"])
    made(graph)(sound(0.1, 0.2, 0.3), trace)
    assert trace.ns == {"pre": 15, "infer": 0, "post": 0}


def test_each_sound_starts_anew(tmp_path):
    task = made()
    loud, path = sound(0.9, 0.9, 0.9, 0.9), tmp_path / "a.wav"
    assert task(loud).scores.tolist() == task(loud).scores.tolist()
    assert task(sound(0.1)).scores.tolist() == pytest.approx([0.1])
    path.write_bytes(write_wav(loud))
    np.testing.assert_allclose(task(path).scores, task(loud).scores, atol=1e-4)
    with pytest.raises(DataError, match="expected a sound"):
        task(3)


def test_what_does_not_fit_is_told():
    with pytest.raises(BundleError, match="windows of fixed length"):
        made(given=replace(INPUT, window_samples=None))
    with pytest.raises(BundleError, match="expected state and other"):
        made(given=replace(INPUT, carried=(Carried(input="state", output="other"),)))
    open_ended = Graph(
        [("input", "float32", (1, 20)), ("state", "float32", (1, None))], ["score", "next"], None
    )
    with pytest.raises(BundleError, match=r"carried input state: expected a fixed shape, got float32 1×\?"):
        made(open_ended)
    with pytest.raises(BundleError, match="activity_head, got model: embed_head"):
        made(head=EmbedHead(tensor="score"))
    with pytest.raises(BundleError, match="from call to call"):
        encoder_of(INPUT, Path())


def test_a_state_that_would_fill_the_memory():
    huge = [("input", "float32", (1, 20)), ("state", "float32", (2**40, 2**40))]
    with pytest.raises(BundleError, match="carried input state: expected up to 268435456 bytes, got float32"):
        made(Graph(huge, ["score", "next"], None))


@pytest.mark.parametrize("counts", [[0], [17], [2, 1]])
def test_scores_that_are_no_frames(counts):
    left = iter(counts)
    scores = Graph(
        [("input", "float32", (1, 20)), ("state", "float32", (1, 1))],
        ["score", "next"],
        lambda _: [np.zeros((1, next(left)), np.float32), np.zeros((1, 1), np.float32)],
    )
    with pytest.raises(BundleError, match=f"got {counts[-1]} scores for 16 samples"):
        made(scores)(sound(*[0.5] * len(counts)))


def test_other_tasks_hear_the_beginning():
    encode = encoder_of(replace(INPUT, carried=(), context_samples=0), Path())
    assert encode.kind == "sound"
    assert encode(sound(0.5, 0.7))["input"].tolist() == [[0.5] * 16]
