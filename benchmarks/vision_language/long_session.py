"""Many questions about many pictures in one process, beside the same question in a process of its own.

    python -m benchmarks.vision_language.long_session vlm.edge questions.jsonl

Questions are drawn in a seeded order, so that pictures come and go; what the process remembers of the last prompt is
reused wherever it fits. Memory is told after each tenth, and how many answers are those of a fresh process.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
from functools import partial
from pathlib import Path
from typing import Any

from edgekit.engines.protocol import EngineOptions
from edgekit.tasks.registry import load
from edgekit.tasks.settings import Settings


def drawn(table: Path, pictures: int, questions: int, seed: int) -> list[tuple[str, str]]:
    """Pictures' paths and questions about them, in random order."""
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    by_picture: dict[str, list[str]] = {}
    for row in rows:
        by_picture.setdefault(str(table.parent / row["image"]), []).append(row["question"])
    rng = random.Random(seed)
    chosen = rng.sample(sorted(by_picture), min(pictures, len(by_picture)))
    found = [(path, rng.choice(by_picture[path])) for path in rng.choices(chosen, k=questions)]
    print(f"{len(found)} questions about {len({path for path, _ in found})} pictures")
    return found


def answers(task: Any, asked: list[tuple[str, str]], tokens: int) -> list[tuple[int, ...]]:
    """Greedy tokens of each; tells the memory on the way."""
    found = []
    for count, (path, question) in enumerate(asked, 1):
        found.append(task.stream(question, path, settings=Settings(max_tokens=tokens)).generation.tokens)
        if count % max(len(asked) // 10, 1) == 0:
            print(f"after {count:5}: {resident_mb():6.1f} MB resident", flush=True)
    return found


def resident_mb() -> float:
    """Of this process, now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def fresh(bundle: Path, threads: int, tokens: int, one: tuple[str, str]) -> tuple[int, ...]:
    """The same in a process that was asked nothing before."""
    task = load(bundle, options=EngineOptions(threads=threads))
    return task.stream(one[1], one[0], settings=Settings(max_tokens=tokens)).generation.tokens


def main() -> None:
    """Asks and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("table", type=Path, help="JSON lines of image and question")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--tokens", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    asked = drawn(args.table, args.pictures, args.questions, args.seed)
    together = answers(load(args.bundle, options=EngineOptions(threads=args.threads)), asked, args.tokens)
    alone = partial(fresh, args.bundle, args.threads, args.tokens)
    with multiprocessing.get_context("spawn").Pool(2, maxtasksperchild=1) as pool:
        apart = pool.map(alone, asked, chunksize=1)
    same = sum(one == other for one, other in zip(together, apart, strict=True))
    print(f"{same} of {len(asked)} answers are those of a fresh process")


if __name__ == "__main__":
    main()
