from __future__ import annotations

import re

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import (
    Carried,
    CtcHead,
    MemoryHead,
    Model,
    SoundInput,
    StepInput,
    TextInput,
    TokenHead,
    Variant,
)
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import BundleError
from edgekit.processing import windows
from edgekit.processing.greedy import greedy
from edgekit.tasks.encoder import encoder_of
from edgekit.tasks.trace import Trace
from edgekit.tasks.transcribe import transcriber
from edgekit.types import Sound
from tests.tasks.sound_sessions import Graph, counter, engine_of

INPUT = SoundInput(tensor="x", rate_hz=1000, window_samples=8)
STEP = StepInput(ids="ids", carried=(Carried(input="past", output="present"),), memory=("memory",))
HEAD = TokenHead(tensor="logits", tokenizer="tokenizer.json", prompt=(0,), end=9, max_tokens=12)
MEMORY = MemoryHead(tensors=("memory",))
SOUND = Sound(np.zeros(16, np.float32), 1000)


def variant(**models):
    return Variant(name="fp32", recipe="full_precision", precision="fp32", models=models, bytes=1)


def model(path, given, head):
    return Model(path=path, format="onnx", input=given, head=head)


def whisper(folder, head=HEAD, step=STEP, memory=MEMORY, decoder=None):
    tokenizers = pytest.importorskip("tokenizers", reason="the extra text")
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({chr(97 + i): i for i in range(12)}, unk_token="a")
    )
    made.add_special_tokens(["f"])  # token 5
    made.save(str(folder / "tokenizer.json"))
    graphs = {
        "e.onnx": Graph([("x", "float32", (1, 8))], ["memory"], lambda feeds: [feeds["x"][:, :4]]),
        "d.onnx": decoder or counter(),
    }
    models = {"encode": model("e.onnx", INPUT, memory), "decode": model("d.onnx", step, head)}
    return transcriber("b", variant(**models), folder, engine_of(graphs), EngineOptions(threads=1))


def test_tokens_follow_each_other_window_by_window(tmp_path):
    decoder, trace = counter(), Trace()
    task = whisper(tmp_path, decoder=decoder)
    sound = Sound(np.float32([0] * 8 + [2] * 8), 1000)
    assert task.accepts == "sound"
    assert task(sound, trace).text == "b c d e g h i d e g h i"  # f is special
    assert [given["past"].shape[2] for given in decoder.given] == [*range(9), *range(7)]
    assert [given["ids"].tolist() for given in decoder.given[:2]] == [[[0]], [[1]]]
    assert [name for name, _ in trace.calls[1].told] == ["logits"]
    assert [call.role for call in trace.calls[:2]] == ["encode", "decode"]


def test_the_text_ends_where_there_is_no_room(tmp_path):
    assert (
        whisper(tmp_path, replace(HEAD, max_tokens=4))(Sound(np.zeros(8, np.float32), 1000)).text == "b c d"
    )


def speller(folder, scores):
    """A transcriber of one graph that always gives ``scores``, and the graph."""
    (folder / "alphabet.txt").write_text("h\ni\n \n")
    graph = Graph([("x", "float32", (1, None))], ["scores"], lambda feeds: [scores])
    head = CtcHead(tensor="scores", alphabet="alphabet.txt", blank=0, space_last=False, activation="softmax")
    models = {"model": model("m.onnx", replace(INPUT, pad="least", min_samples=5), head)}
    engine = engine_of({"m.onnx": graph})
    return transcriber("b", variant(**models), folder, engine, EngineOptions(threads=1)), graph


def test_spelling(tmp_path):
    steps = np.float32([[9, 0, 0, 0], [0, 9, 0, 0], [0, 9, 0, 0], [0, 0, 9, 0], [0, 0, 0, 9], [9, 0, 0, 0]])
    task, graph = speller(tmp_path, steps[None])
    assert task(Sound(np.zeros(18, np.float32), 1000)).text == "hi hi hi"
    assert [given["x"].shape for given in graph.given] == [(1, 8), (1, 8), (1, 5)]


@pytest.mark.parametrize("shape", [(), (4,), (6, 4), (0, 6, 4), (2, 6, 4), (1, 1, 6, 4)])
def test_spelling_from_another_shape(tmp_path, shape):
    task, _ = speller(tmp_path, np.zeros(shape, np.float32))
    told = re.escape(f"scores: expected output (1, steps, classes), got {shape}")
    with pytest.raises(BundleError, match=told):
        task(SOUND)


def test_spelling_from_no_steps_is_an_empty_text(tmp_path):
    task, _ = speller(tmp_path, np.zeros((1, 0, 4), np.float32))
    assert task(SOUND).text == ""


def clocked(monkeypatch):
    """A trace whose clock is moved by 5 ns for each window that is cut, and by nothing else."""
    clock = {"ns": 0}

    def slow(samples, spec):
        clock["ns"] += 5
        return samples

    monkeypatch.setattr(windows, "_features", slow)
    return Trace(lambda: clock["ns"])


def test_cutting_counts_as_preparing(tmp_path, monkeypatch):
    for task in (whisper(tmp_path), speller(tmp_path, np.float32([[[9, 0, 0, 0]]]))[0]):
        trace = clocked(monkeypatch)
        task(SOUND, trace)
        assert trace.ns == {"pre": 10, "infer": 0, "post": 0}


def test_graphs_that_do_not_belong_together(tmp_path):
    with pytest.raises(BundleError, match="memory_head with what decode takes"):
        whisper(tmp_path, memory=MemoryHead(tensors=("other",)))
    with pytest.raises(BundleError, match="step input and a token_head"):
        whisper(tmp_path, step=TextInput(tokenizer="tokenizer.json", max_tokens=4))
    only = {"decode": model("d.onnx", STEP, HEAD)}
    with pytest.raises(BundleError, match="graphs encode and decode, got decode"):
        transcriber("b", variant(**only), tmp_path, engine_of({}), EngineOptions(threads=1))
    with pytest.raises(BundleError, match="decoder's steps"):
        encoder_of(STEP, tmp_path)


@pytest.mark.parametrize("shape", [(), (12,), (1, 12), (1, 0, 12), (0, 1, 12)])
def test_scores_of_another_shape(tmp_path, shape):
    made = counter()
    bent = Graph([], [], lambda feeds: [np.zeros(shape, np.float32), made.function(feeds)[1]])
    bent.inputs, bent.outputs = made.inputs, made.outputs
    with pytest.raises(BundleError, match=r"logits: expected \(1, tokens, vocabulary\), got \("):
        whisper(tmp_path, decoder=bent)(SOUND)


def stepper(best):
    """A decoder of 8 tokens whose best next token is ``best[token]``; what it was given is kept."""
    seen = []

    def step(ids):
        seen.append(list(ids))
        scores = np.zeros(8, np.float32)
        scores[[best[ids[-1]], 7]] = 3, 1
        return scores

    return step, seen


@pytest.mark.parametrize(
    ("change", "made", "given"),
    [
        ({}, [1, 2, 3], [[0], [1], [2], [3]]),
        ({"suppress": (2,)}, [1, 7, 7, 7, 7], [[0], [1], [7], [7], [7]]),
        ({"suppress_first": (1, 7)}, [0, 1, 2, 3], [[0], [0], [1], [2], [3]]),
        ({"languages": (5, 1), "task": (6,)}, [2, 3], [[0], [1, 6], [2], [3]]),
        ({"prompt": (0, 1), "task": (2,)}, [3], [[0, 1, 2], [3]]),
        ({"max_tokens": 3}, [1, 2], [[0], [1]]),
    ],
)
def test_greedy(change, made, given):
    head = replace(TokenHead(tensor="t", tokenizer="t", prompt=(0,), end=4, max_tokens=6), **change)
    step, seen = stepper({0: 1, 1: 2, 2: 3, 3: 4, 6: 2, 7: 2})
    assert greedy(step, head) == made
    assert seen == given


def test_greedy_names_a_token_that_is_not_there():
    head = TokenHead(tensor="t", tokenizer="t", prompt=(0,), end=8, max_tokens=6)
    with pytest.raises(BundleError, match="names token 8, the decoder has 8"):
        greedy(stepper({0: 1})[0], head)
