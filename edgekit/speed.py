"""How fast a language model is: prompt, answer, first token, and from a cold start."""

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
from edgekit.tasks.settings import Settings

PROMPT_TOKENS, ANSWER_TOKENS = 256, 64
"""What is timed; of a shorter context half and a quarter."""

COLD_TOKENS = 8
ROUNDS = 5

TEXT = (
    "The harbour was quiet in the early morning. Two boats had come in during the night, and the men on the quay "
    "were counting boxes of fish under a yellow lamp. Nobody spoke much. A radio in the office gave the weather for "
    "the coast: wind from the west, rain before noon, and a calm evening. "
)


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians over the rounds.

    Attributes:
        prefill_tokens_per_s: of a prompt that shares nothing with what was said before.
        decode_tokens_per_s: of the answer's tokens but the first; None of an answer of one token.
        first_token_ms: from the prompt to the first token.
        cold_start_ms: of ``edgekit chat`` with 8 tokens, from the process's start to its end; files are in memory.
        prompt_tokens, answer_tokens: how many were timed.
        rounds: how often.
    """

    prefill_tokens_per_s: float | None
    decode_tokens_per_s: float | None
    first_token_ms: float
    cold_start_ms: float
    prompt_tokens: int
    answer_tokens: int
    rounds: int

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit bench --json`` prints it."""
        return {name: round(v, 3) if isinstance(v, float) else v for name, v in asdict(self).items()}


def cold_command(path: Path, variant: str, threads: int) -> list[str]:
    """The command whose whole life is a cold start."""
    chat = [sys.executable, "-m", "edgekit", "chat", str(path), "Hello", "--max-tokens", str(COLD_TOKENS)]
    return [*chat, "--variant", variant, "--threads", str(threads)]


def measure_speed(
    task: Generate,
    cold: Sequence[str],
    rounds: int = ROUNDS,
    *,
    now_ns: Callable[[], int] = time.perf_counter_ns,
    run: Callable[..., Any] = subprocess.run,
) -> Speed:
    """Times answers to a plain text, each made from nothing, and starts of a fresh process.

    Args:
        task: the model.
        cold: see :func:`cold_command`.
        rounds: at least 1.
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
        answer = task.stream(prompt, settings, now_ns=now_ns).generation
        assert answer.pace is not None  # every answer has one
        paces.append(answer.pace)
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
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
