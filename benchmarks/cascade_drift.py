"""What it costs in answers that a picture which is nearly the one before is not encoded anew.

    python -m benchmarks.cascade_drift shapes.edge --clips videos/ --frames 300

Every frame of every clip is asked about afresh. Then ``--reuse-below`` is played through for each threshold: the
picture that was encoded last stays until a frame differs from it by so much. Of the frames for which it stays, how many
would have been answered otherwise? Drawn clips (one coloured shape: still, moving slowly, fading into another colour;
noise and flicker of a camera; every 60 frames another shape) are what ``shapes-vlm`` is made for, so there the share
of right answers is known too. Real clips are not: its answers mean nothing there, and tremble the more.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from edgekit.camera.opencv import open_video
from edgekit.engines.protocol import EngineOptions
from edgekit.machine import this_machine
from edgekit.processing.thumbnail import Thumbnail, thumbnail
from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import wilson
from edgekit.tasks.question import Question
from edgekit.tasks.registry import load
from edgekit.tasks.vision_language import VisionLanguage
from edgekit.types import Frame
from training.shapes_vlm.pictures import COLORS, KINDS

QUESTIONS = (
    "describe the image.",
    "what shape is in the image?",
    "what is the color of the shape?",
    "is there a circle?",
)
THRESHOLDS = (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2)
SIDE = 256
SHOT = 60
"""Frames after which another shape comes."""


class Shot(NamedTuple):
    """A frame, and the right answers if they are known."""

    frame: Frame
    truth: tuple[str, ...] | None


@dataclass(frozen=True)
class Seen:
    """What is known of a frame."""

    small: Thumbnail
    answers: tuple[str, ...]
    truth: tuple[str, ...] | None


def drawn(kind_of_clip: str, frames: int, seed: int) -> Iterator[Shot]:
    """A clip of one shape at a time; ``still``, ``moving`` or ``fading``."""
    rng = np.random.default_rng(seed)
    for index in range(frames):
        step = index % SHOT
        if step == 0:
            kind = KINDS[rng.integers(3)]
            first, second = rng.choice(list(COLORS), 2, replace=False)
            ground = rng.integers(230, 256, 3)
            size = rng.uniform(0.2, 0.5) * SIDE
            start, way = rng.uniform(size / 2, SIDE - size / 2, 2), rng.uniform(-0.5, 0.5, 2)
        share = step / SHOT if kind_of_clip == "fading" else 0.0
        color = (1 - share) * np.array(COLORS[first]) + share * np.array(COLORS[second])
        place = start + (way * step if kind_of_clip == "moving" else 0)
        pixels = draw(kind, color, ground, place, size)
        noisy = pixels + rng.normal(0, 3, pixels.shape) + 2 * math.sin(index / 7)
        name = first if share < 0.5 else second
        truth = (f"a {name} {kind}", kind, name, "yes" if kind == "circle" else "no")
        yield Shot(Frame(np.clip(noisy, 0, 255).astype(np.uint8), "rgb", index), truth)


def draw(kind: str, color: np.ndarray, ground: np.ndarray, place: np.ndarray, size: float) -> np.ndarray:
    """``(256, 256, 3)`` float RGB."""
    shift = 4  # sixteenths of a pixel
    x, y, half = (round(float(value) * 2**shift) for value in (*place, size / 2))
    cover = np.zeros((SIDE, SIDE), np.uint8)
    if kind == "circle":
        cv2.circle(cover, (x, y), half, 255, -1, cv2.LINE_AA, shift)
    else:
        corners = {
            "rectangle": [(-half, -half), (half, -half), (half, half), (-half, half)],
            "triangle": [(0, -half), (half, half), (-half, half)],
        }[kind]
        cv2.fillPoly(
            cover, [np.array(corners, np.int32) + np.array([x, y], np.int32)], 255, cv2.LINE_AA, shift
        )
    part = cover[..., np.newaxis] / 255
    return part * color + (1 - part) * ground


def filmed(path: Path, frames: int) -> Iterator[Shot]:
    """The first frames of a clip."""
    source = open_video(path)
    for index in range(frames):
        reading = source.read()
        if not isinstance(reading, Frame):
            break
        yield Shot(Frame(reading.pixels, "bgr", index), None)
    source.close()


def seen(model: VisionLanguage, shots: Iterator[Shot]) -> list[Seen]:
    """Every question about every frame, afresh."""
    questions = [Question(text, max_tokens=16, picture=True) for text in QUESTIONS]
    found = []
    for shot in shots:
        picture = model.picture(shot.frame)
        answers = tuple(question.ask(model, "", picture).text.strip() for question in questions)
        found.append(Seen(thumbnail(shot.frame.pixels), answers, shot.truth))
    return found


def played(frames: list[Seen], below: float) -> dict[str, int]:
    """What the rule does: frames, those that reuse a picture, their answers, which differ, which are right."""
    count = {"frames": 0, "reused": 0, "answers": 0, "differ": 0, "right": 0, "right afresh": 0}
    kept: Seen | None = None
    for frame in frames:
        count["frames"] += 1
        if kept is None or not frame.small.difference(kept.small) < below:
            kept = frame
            continue
        count["reused"] += 1
        for index, (told, fresh) in enumerate(zip(kept.answers, frame.answers, strict=True)):
            count["answers"] += 1
            count["differ"] += told != fresh
            if frame.truth is not None:
                count["right"] += told == frame.truth[index]
                count["right afresh"] += fresh == frame.truth[index]
    return count


def main() -> None:
    """Plays each threshold through and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--variant")
    parser.add_argument("--clips", type=Path, help="folder of real clips")
    parser.add_argument("--frames", type=int, default=300, help="of each clip")
    parser.add_argument("--seeds", type=int, default=3, help="drawn clips of each kind")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    model = load(args.bundle, args.variant, options=EngineOptions(threads=args.threads))
    assert isinstance(model, VisionLanguage)
    groups: dict[str, list[Callable[[], Iterator[Shot]]]] = {
        kind: [lambda kind=kind, seed=seed: drawn(kind, args.frames, seed) for seed in range(args.seeds)]
        for kind in ("still", "moving", "fading")
    }
    if args.clips is not None:
        groups |= {
            path.stem: [lambda path=path: filmed(path, args.frames)]
            for path in sorted(args.clips.glob("*.mp4"))
        }
    rows = []
    for name, clips in groups.items():
        known = [seen(model, clip()) for clip in clips]
        print(f"{name}: {sum(map(len, known))} frames asked about", file=sys.stderr)
        for below in THRESHOLDS:
            counts = [played(frames, below) for frames in known]
            rows.append(
                {"clip": name, "below": below, **{key: sum(c[key] for c in counts) for key in counts[0]}}
            )
    if args.json:
        print(json.dumps({"machine": this_machine().as_json(), "rows": rows}))
        return
    print(f"{this_machine()}; {model.bundle_name} {model.variant}; {len(QUESTIONS)} questions a frame")
    print(
        f"{'clip':<30} {'below':>6} {'reused':>7} {'answers':>8} {'differ':>7} {'95 %':>16} {'right':>7} {'afresh':>7}"
    )
    for row in rows:
        n = row["answers"]
        ends = wilson(row["differ"], n) if n else Interval(0.0, 1.0)
        right, afresh = (
            f"{row[key] / n:.2%}" if n and row["right afresh"] else "" for key in ("right", "right afresh")
        )
        print(
            f"{row['clip']:<30} {row['below']:>6} {row['reused'] / row['frames']:>7.1%} {n:>8} "
            f"{row['differ'] / max(n, 1):>7.2%} {f'{ends.low:.2%} to {ends.high:.2%}':>16} {right:>7} {afresh:>7}"
        )


if __name__ == "__main__":
    main()
