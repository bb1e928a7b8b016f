"""A vision-language model's bundle beside transformers in float32 on the same weights, in turns.

    python -m benchmarks.vision_language.smolvlm smolvlm/              # or a folder from the hub
    edgekit export smolvlm/ -o smolvlm.edge --max-size 150MB
    python -m benchmarks.vision_language smolvlm.edge smolvlm/ photo.jpg

Each turn both get a picture that they have not seen (its first pixel differs), and then another question about it:

- encode: a tile of it through the vision tower and the connector
- first: from the picture in memory and the question to the first token; one tile
- follow: the first token of the second question: ours remembers the picture, transformers' `generate` does not
- decode: one more token

Ratios are of each turn, their median is told.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from benchmarks.turns import Worker, in_turns, print_ratios
from edgekit.machine import this_machine

WORKER = "benchmarks.vision_language.worker"
KEYS = ("encode_s", "first_s", "follow_s", "decode_s")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("folder", type=Path, help="the checkpoint that the bundle was made of")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--variant", default="", help="of the bundle")
    parser.add_argument("--questions", nargs=2, default=["What is in this picture?", "What colour is it?"])
    parser.add_argument("--tokens", type=int, default=16, help="greedy tokens a turn")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    sides = (("edgekit", args.bundle), ("transformers", args.folder))
    workers = [
        Worker(name, [sys.executable, "-m", WORKER, name, str(path), str(args.threads), args.variant])
        for name, path in sides
    ]
    asked = {"picture": str(args.picture), "questions": args.questions, "tokens": args.tokens}
    found = in_turns(workers, args.turns, **asked)
    print(
        f"{this_machine().model}, {args.threads} threads, {args.turns} turns, {args.bundle.stat().st_size / 1e6:.1f} MB"
    )
    for name, rows in found.items():
        times = (f"{key[:-2]} {statistics.median(row[key] for row in rows) * 1e3:8.1f} ms" for key in KEYS)
        print(f"{name:14} {'   '.join(times)}")
    print_ratios(found, KEYS)


if __name__ == "__main__":
    main()
