"""A text model's bundle beside llama.cpp and transformers on the same weights, in turns.

    python -m benchmarks.text_models smollm2.edge SmolLM2-135M-Instruct.Q4_1.gguf --llama-python llama-env/bin/python

The bundle is the GGUF file's very codes (`edgekit export FILE.gguf`), so that all three multiply by the same weights;
llama.cpp comes with `pip install llama-cpp-python`, in an environment of its own. Each turn every engine gets the same
prompt, reads it (prefill) and makes greedy tokens (decode). Ratios are of each turn, their median is told: machines
differ more from minute to minute than engines do. A cold start is an `edgekit chat` of 8 tokens, from the start of its
process to the last of them; the process's end is told beside it. The peak is its largest resident memory.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.turns import Worker, in_turns, print_ratios
from edgekit.machine import this_machine
from edgekit.tasks.registry import load

WORKER = "benchmarks.text_models.worker"
TEXT = Path("/usr/share/common-licenses/Artistic")


def cold_start(bundle: Path, threads: int, tokens: int = 8) -> tuple[float, float, float]:
    """Seconds to the last piece of an answer and to the end of its process, and peak resident megabytes."""
    command = [sys.executable, "-m", "edgekit", "chat", str(bundle), "The capital of France is"]
    command += ["--max-tokens", str(tokens), "--threads", str(threads)]
    start = last = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with process.stdout as told:
        while os.read(told.fileno(), 4096):
            last = time.perf_counter()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    return last - start, time.perf_counter() - start, usage.ru_maxrss / 1000


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--llama-python", required=True, help="interpreter that has llama-cpp-python")
    parser.add_argument("--prompt-tokens", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=64, help="greedy tokens a turn")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-transformers", action="store_true")
    args = parser.parse_args()
    prompt = load(args.bundle).words.tokens(TEXT.read_text(encoding="utf-8"))[: args.prompt_tokens]
    sides = [("edgekit", sys.executable, args.bundle), ("llama", args.llama_python, args.gguf)]
    if not args.no_transformers:
        sides.append(("transformers", sys.executable, args.gguf))
    workers = [
        Worker(name, [python, "-m", WORKER, name, str(path), str(args.threads)])
        for name, python, path in sides
    ]
    told(args, in_turns(workers, args.turns, prompt=prompt, tokens=args.tokens))
    starts = [cold_start(args.bundle, args.threads) for _ in range(args.turns + 1)][1:]
    size_mb = args.bundle.stat().st_size / 1e6
    told_s, ended_s, peak_mb = (statistics.median(column) for column in zip(*starts, strict=True))
    best_s = min(start[0] for start in starts)
    print(f"cold start to 8 tokens: {told_s:.2f} s (best {best_s:.2f}), to the process's end {ended_s:.2f} s")
    print(f"peak resident: {peak_mb:.0f} MB; 90 MB + 1.3 x {size_mb:.1f} MB = {90 + 1.3 * size_mb:.0f} MB")


def told(args: argparse.Namespace, found: dict[str, list[dict[str, float]]]) -> None:
    """Prints rates and ratios."""
    machine = this_machine()
    print(
        f"{machine.model}, {args.threads} threads, {args.prompt_tokens} + {args.tokens} tokens, {args.turns} turns"
    )
    for name, rows in found.items():
        prefill = statistics.median(args.prompt_tokens / row["prefill_s"] for row in rows)
        decode = statistics.median(args.tokens / row["decode_s"] for row in rows)
        print(f"{name:14} prefill {prefill:7.0f} tok/s   decode {decode:6.1f} tok/s")
    print_ratios(found, ("prefill_s", "decode_s"))


if __name__ == "__main__":
    main()
