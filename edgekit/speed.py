"""How fast a language model is: prompt, answer, first token, and from a cold start; and with a picture."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from edgekit.errors import ModelError
from edgekit.tasks.generate import Generate
from edgekit.tasks.reply import Reply
from edgekit.tasks.settings import Settings
from edgekit.tasks.vision_language import VisionLanguage
from edgekit.types import Pace, Question

PROMPT_TOKENS, ANSWER_TOKENS = 256, 64
"""What is timed; of a shorter context half and a quarter."""

COLD_TOKENS = 8
ROUNDS = 5

TEXT = (
    "The harbour was quiet in the early morning. Two boats had come in during the night, and the men on the quay "
    "were counting boxes of fish under a yellow lamp. Nobody spoke much. A radio in the office gave the weather for "
    "the coast: wind from the west, rain before noon, and a calm evening. "
)


PICTURE_ANSWER_TOKENS = 16
FOLLOW_UP = "What else is there to see?"
"""Asked about the same picture."""


@dataclass(frozen=True, slots=True)
class PictureSpeed:
    """Medians over the rounds, of a picture that was never seen, and of a second question about it.

    Attributes:
        tiles: that the picture is cut into.
        prompt_tokens: of the first question, those of the picture among them.
        prepare_ms: the picture to tiles, and words to tokens.
        encode_ms: tiles to features.
        prefill_ms: the prompt through the model.
        first_token_ms: from the first question to the first token: all of these, and its choice.
        follow_up_ms: from the second question to the first token.
        decode_tokens_per_s: of both answers' tokens but the first; None where there are no others.
    """

    tiles: int
    prompt_tokens: int
    prepare_ms: float
    encode_ms: float
    prefill_ms: float
    first_token_ms: float
    follow_up_ms: float
    decode_tokens_per_s: float | None


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians over the rounds.

    Attributes:
        prefill_tokens_per_s: of a prompt that shares nothing with what was said before.
        decode_tokens_per_s: of the answer's tokens but the first; None where there are no others.
        first_token_ms: from the prompt to the first token.
        cold_start_ms: of ``edgekit chat`` with 8 tokens, from the process's start to its end; files are in memory.
        prompt_tokens, answer_tokens: how many were timed.
        rounds: how often.
        picture: of vision-language models.
    """

    prefill_tokens_per_s: float | None
    decode_tokens_per_s: float | None
    first_token_ms: float
    cold_start_ms: float
    prompt_tokens: int
    answer_tokens: int
    rounds: int
    picture: PictureSpeed | None = None

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit bench --json`` prints it."""
        made = asdict(self)
        picture = made.pop("picture")
        return _rounded(made) | ({} if picture is None else {"picture": _rounded(picture)})


def _rounded(made: dict[str, Any]) -> dict[str, Any]:
    return {name: round(v, 3) if isinstance(v, float) else v for name, v in made.items()}


def cold_command(path: Path, variant: str, threads: int) -> list[str]:
    """The command whose whole life is a cold start."""
    chat = [sys.executable, "-m", "edgekit", "chat", str(path), "Hello", "--max-tokens", str(COLD_TOKENS)]
    return [*chat, "--variant", variant, "--threads", str(threads)]


def measure_speed(
    task: Generate,
    cold: Sequence[str],
    rounds: int = ROUNDS,
    question: Question | None = None,
    *,
    now_ns: Callable[[], int] = time.perf_counter_ns,
    run: Callable[..., Any] = subprocess.run,
) -> Speed:
    """Times answers to a plain text, each made from nothing, and starts of a fresh process.

    Args:
        task: the model.
        cold: see :func:`cold_command`.
        rounds: at least 1.
        question: about a picture, for a vision-language model.
        now_ns: monotonic clock; a test passes its own.
        run: starts a process; a test passes its own.

    Raises:
        ModelError: the fresh process fails.
    """
    given = min(PROMPT_TOKENS, task.capacity // 2)
    prompt = task.tokens(TEXT * (given // 16))[:given]
    settings = Settings(min(ANSWER_TOKENS, task.capacity // 4))
    paces, starts_ms = [], []
    for _ in range(rounds):
        task.forget()
        paces.append(_pace(task.stream(prompt, settings=settings, now_ns=now_ns)))
    for _ in range(min(rounds, 3)):
        start = now_ns()
        done = run(cold, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ModelError(f"cold start: {' '.join(cold)} failed: {done.stderr.strip()[-200:]}")
        starts_ms.append((now_ns() - start) / 1e6)
    return Speed(
        _median([pace.prefill_tokens_per_s for pace in paces]),
        _median([pace.decode_tokens_per_s for pace in paces]),
        median(pace.first_token_ms for pace in paces),
        median(starts_ms),
        len(prompt),
        paces[0].answer_tokens,
        rounds,
        None if question is None else measure_picture(task, question, rounds, now_ns),
    )


def measure_picture(
    task: Generate, question: Question, rounds: int, now_ns: Callable[[], int]
) -> PictureSpeed:
    """Times a first and a second question about a picture.

    Raises:
        DataError: they do not fit the context.
    """
    assert isinstance(task, VisionLanguage)  # nobody else has such a golden input
    settings = Settings(PICTURE_ANSWER_TOKENS)
    cut, first, second = task.picture(question.frame), [], []
    for _ in range(rounds):
        task.forget()
        first.append(_pace(task.stream(question.text, question.frame, settings=settings, now_ns=now_ns)))
        second.append(_pace(task.stream(FOLLOW_UP, cut, settings=settings, now_ns=now_ns)))
    return PictureSpeed(
        first[0].tiles,
        first[0].prompt_tokens,
        median(pace.prepare_ms for pace in first),
        median(pace.encode_ms for pace in first),
        median(pace.prefill_ms for pace in first),
        median(pace.first_token_ms for pace in first),
        median(pace.first_token_ms for pace in second),
        _median([pace.decode_tokens_per_s for pace in (*first, *second)]),
    )


def _pace(reply: Reply) -> Pace:
    pace = reply.generation.pace
    assert pace is not None  # every answer has one
    return pace


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
