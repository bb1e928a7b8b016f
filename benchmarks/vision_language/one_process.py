"""Many questions in one process, in any order: equal answers, flat memory, and how long each takes.

    python -m benchmarks.vision_language.one_process vlm.edge questions.jsonl --questions 1000 --pictures 200

Every answer is compared with that of another object which is given each prompt whole, with nothing remembered, and
some (``--fresh``) with that of a new process, ``edgekit chat --image``. Every second question is about the picture of
the one before. Times are of whole answers, from a picture in memory to the last token.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from edgekit.data.dataset import open_data
from edgekit.data.question import PhotoQuestion
from edgekit.engines.protocol import EngineOptions
from edgekit.machine import this_machine
from edgekit.processing.images import read_picture
from edgekit.tasks.registry import load
from edgekit.tasks.settings import Settings
from edgekit.tasks.vision_language import VisionLanguage
from edgekit.types import Generation

SETTINGS = Settings(max_tokens=16)


def main() -> int:
    """Asks; 1 if any answer differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("data", help="a table of questions about pictures")
    parser.add_argument("--variant")
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--fresh", type=int, default=20, help="questions that new processes answer, too")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    asked = drawn(args)
    task, other = (_load(args) for _ in range(2))
    equal, times, memory = 0, {"fresh": [], "follow-up": []}, []
    for number, one in enumerate(asked):
        frame = read_picture(one.path)
        start = time.perf_counter_ns()
        answer = task.stream(one.question, frame, settings=SETTINGS).generation
        known = answer.pace is not None and answer.pace.encoded_tiles == 0
        times["follow-up" if known else "fresh"].append((time.perf_counter_ns() - start) / 1e6)
        other.forget()
        equal += answer.tokens == other.stream(one.question, frame, settings=SETTINGS).generation.tokens
        if (number + 1) % max(len(asked) // 10, 1) == 0:
            memory.append(_resident_bytes())
    new = sum(_same(args, one, task) for one in asked[: args.fresh])
    print(f"{this_machine().model}, {args.threads} threads, {task.bundle_name} {task.variant}")
    print(f"equal to answers with nothing remembered: {equal} of {len(asked)}")
    print(f"equal to answers of new processes: {new} of {min(args.fresh, len(asked))}")
    print("resident MB after each tenth:", " ".join(f"{size / 1e6:.1f}" for size in memory))
    for name, values in times.items():
        print(f"{name}: {_percentiles(values)}, n = {len(values)}")
    return 0 if equal == len(asked) and new == min(args.fresh, len(asked)) else 1


def drawn(args: argparse.Namespace) -> list[PhotoQuestion]:
    """Questions about so many pictures at the most, drawn by the seed; every second one is about the one before's."""
    rng, by_picture = random.Random(args.seed), {}
    for source in open_data([args.data], "vision_language", (), "question").sources:
        assert isinstance(source, PhotoQuestion)
        by_picture.setdefault(source.sha256, []).append(source)
    pictures = rng.sample(sorted(by_picture), min(args.pictures, len(by_picture)))
    made = []
    while len(made) < args.questions:
        questions = by_picture[rng.choice(pictures)]
        made += [rng.choice(questions), rng.choice(questions)]
    return made[: args.questions]


def _load(args: argparse.Namespace) -> VisionLanguage:
    task = load(args.bundle, args.variant, options=EngineOptions(threads=args.threads))
    assert isinstance(task, VisionLanguage)
    return task


def _same(args: argparse.Namespace, one: PhotoQuestion, task: VisionLanguage) -> bool:
    """Whether a new process gives the same text; it opens the picture itself."""
    command = [sys.executable, "-m", "edgekit", "chat", str(args.bundle), one.question, "--image", str(one.path),
               "--max-tokens", str(SETTINGS.max_tokens), "--threads", str(args.threads), "--json",
               "--variant", task.variant]  # fmt: skip
    made = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    answer: Generation = task(one.question, settings=SETTINGS, image=one.path)
    return bool(made["result"]["text"] == answer.text)


def _percentiles(values: Sequence[float]) -> str:
    if len(values) < 2:
        return "too few"
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return f"p50 {statistics.median(values):.1f} ms, p95 {cuts[-1]:.1f} ms"


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


if __name__ == "__main__":
    sys.exit(main())
