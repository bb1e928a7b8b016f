from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest

from edgekit.bench import bench
from edgekit.cli.bench import speed_rows
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import ModelError
from edgekit.speed import PictureSpeed, Speed, cold_command, measure_speed
from edgekit.tasks.registry import load
from edgekit.types import Question
from tests.decoder_files import golden_bundle, language_bundle
from tests.vision_files import QUESTION, golden_vision_bundle, picture, vision_bundle

pytest.importorskip("tokenizers", reason="the extra text")


@pytest.fixture
def path(tmp_path):
    return language_bundle(tmp_path / "tiny.edge")


def test_a_steady_clock_gives_steady_figures(path):
    task = load(path, options=EngineOptions(threads=1))
    ticks, started = count(0, 1_000_000), []

    def run(command, **_):
        started.append(command)
        return SimpleNamespace(returncode=0)

    speed = measure_speed(task, ["cold"], 2, now_ns=lambda: next(ticks), run=run)
    assert started == [["cold"], ["cold"]]
    assert (speed.prompt_tokens, speed.answer_tokens, speed.rounds) == (64, 32, 2)
    assert speed.prefill_tokens_per_s == pytest.approx(64e3)  # one look at the clock behind the whole prompt
    assert speed.decode_tokens_per_s == pytest.approx(31 / 31e-3)  # and one behind each token
    assert speed.cold_start_ms == 1.0
    assert speed.as_json()["first_token_ms"] == speed.first_token_ms


def test_a_process_that_fails_is_told(path):
    task = load(path, options=EngineOptions(threads=1))
    with pytest.raises(ModelError, match="cold start: x y failed: no such"):
        measure_speed(
            task, ["x", "y"], 1, run=lambda *_, **__: SimpleNamespace(returncode=2, stderr="no such\n")
        )


def test_a_cold_start_is_a_chat_of_that_variant(path):
    command = cold_command(path, "fp32", 3)
    assert command[1:4] == ["-m", "edgekit", "chat"]
    assert command[-4:] == ["--variant", "fp32", "--threads", "3"]


def test_bench_has_the_figures_of_language_models(tmp_path):
    speed = Speed(1.0, None, 2.0, 3.0, 4, 5, 6)
    made = bench(
        golden_bundle(tmp_path / "g.edge"), runs=3, measure=lambda task, command, rounds, question: speed
    ).as_json()
    assert (made["prefill_tokens_per_s"], made["decode_tokens_per_s"], made["cold_start_ms"]) == (
        1.0,
        None,
        3.0,
    )
    assert made["n"] == 3
    assert made["latency_ms"]["infer"]["p50"] > 0


def test_pictures_are_timed_apart(tmp_path):
    pytest.importorskip("PIL", reason="the extra pillow")
    task = load(vision_bundle(tmp_path / "v.edge"), options=EngineOptions(threads=1))
    ticks, question = count(0, 1_000_000), Question(picture(0), QUESTION)
    speed = measure_speed(
        task,
        ["cold"],
        2,
        question,
        now_ns=lambda: next(ticks),
        run=lambda *_, **__: SimpleNamespace(returncode=0),
    )
    made = speed.picture
    assert (made.tiles, made.prompt_tokens) == (1, len(task._read(QUESTION, picture(0))))
    times = (made.prepare_ms, made.encode_ms, made.prefill_ms, made.first_token_ms, made.follow_up_ms)
    assert times == (1.0, 1.0, 1.0, 4.0, 4.0)  # one look at the clock behind each, and one behind the choice
    assert speed.as_json()["picture"]["follow_up_ms"] == 4.0
    assert [name for name, _ in speed_rows(speed)][4:] == [
        "picture cut into 1 tile",
        "its tiles encoded",
        f"first token, {made.prompt_tokens} tokens with it",
        "first token, second question",
        "answers",
    ]


def test_bench_asks_the_golden_question(tmp_path):
    pytest.importorskip("PIL", reason="the extra pillow")
    asked = []

    def measure(task, command, rounds, question):
        asked.append(question.text)
        return Speed(1.0, None, 2.0, 3.0, 4, 5, 6, PictureSpeed(1, 2, 3.0, 4.0, 5.0, 6.0, 7.0, None))

    made = bench(golden_vision_bundle(tmp_path / "g.edge"), runs=2, measure=measure).as_json()
    assert asked == [QUESTION]
    assert (made["task"], made["picture"]["encode_ms"]) == ("vision_language", 4.0)
