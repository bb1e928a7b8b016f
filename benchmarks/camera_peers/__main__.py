"""The camera loop beside MediaPipe Tasks, a transformers pipeline and a plain OpenCV loop, in turns on one clip.

    python -m benchmarks.camera_peers lite0.edge clip.mp4 --checkpoint efficientnet-lite0.pth \\
        --mediapipe-python mp-env/bin/python

The bundle is `edgekit export efficientnet-lite0 --recipe int8 --format both`: its ONNX variant runs in our loop and in
OpenCV's, its TFLite variant in our loop and in MediaPipe's; transformers runs the checkpoint in full precision. Every
contender plays the clip at its own frame rate, in a process of its own, and counts from the decoded picture to the
result. Ratios are of each turn; their median, least and most are told. MediaPipe is in an environment of its own
(`pip install mediapipe`); without the option it is left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.turns import Worker, in_turns, print_ratios
from edgekit.bundle.reader import open_bundle
from edgekit.machine import this_machine

WORKER = "benchmarks.camera_peers.worker"


def model_file(bundle: Path, kind: str) -> tuple[str, str]:
    """Name of the first variant of a format, and the path of its model."""
    opened = open_bundle(bundle)
    for variant in opened.manifest.variants:
        for model in variant.models.values():
            if model.format == kind:
                return variant.name, str(opened.folder() / model.path)
    raise SystemExit(f"{bundle}: no {kind} variant; export it with --format both")


def contenders(args: argparse.Namespace) -> list[Worker]:
    """The processes."""
    onnx, onnx_path = model_file(args.bundle, "onnx")
    tflite, tflite_path = model_file(args.bundle, "tflite")
    sides = [
        ("edgekit", sys.executable, f"{args.bundle}:{onnx}"),
        ("edgekit-tflite", sys.executable, f"{args.bundle}:{tflite}"),
        ("opencv", sys.executable, onnx_path),
    ]
    if args.mediapipe_python:
        sides.append(("mediapipe", args.mediapipe_python, tflite_path))
    if args.checkpoint:
        sides.append(("transformers", sys.executable, str(args.checkpoint)))
    return [
        Worker(name, [python, "-m", WORKER, name, path, str(args.clip), str(args.threads)])
        for name, python, path in sides
    ]


def agreement(found: dict[str, list[dict[str, Any]]], name: str) -> float | None:
    """Share of the frames whose best class is that of full precision."""
    if "transformers" not in found:
        return None
    pairs = list(zip(found[name][-1]["classes"], found["transformers"][-1]["classes"], strict=False))
    return sum(a == b for a, b in pairs) / len(pairs)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--checkpoint", type=Path, help="weights of the network, for transformers")
    parser.add_argument("--mediapipe-python", help="interpreter that has mediapipe")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frames", type=int, default=120, help="a turn")
    parser.add_argument("--turns", type=int, default=7)
    args = parser.parse_args()
    found = in_turns(contenders(args), args.turns, frames=args.frames)
    machine = this_machine()
    print(f"{machine}, {args.threads} threads, {args.clip.name}, {args.turns} turns of {args.frames} frames")
    for name, rows in found.items():
        p50, p95 = (statistics.median(row[key] for row in rows) for key in ("p50_s", "p95_s"))
        share = agreement(found, name)
        same = "" if share is None else f", best class as in full precision {share:.1%}"
        print(f"{name}: p50 {p50 * 1e3:.2f} ms, p95 {p95 * 1e3:.2f} ms{same}")
    for name in ("edgekit", "edgekit-tflite"):
        for q in ("p50", "p95"):
            ratios = [row[f"{q}_s"] / row[f"bare_{q}_s"] for row in found[name]]
            print(f"{name}, {q} / engine alone: x{statistics.median(ratios):.2f}")
    print_ratios(found, ("p50_s", "p95_s"))


if __name__ == "__main__":
    main()
