"""Data to calibrate and judge on, made of nothing: drawn scenes, sentences, voices."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from edgekit.processing.wav import write_wav
from edgekit.types import U8, Kind
from edgekit_export.data.sentences import SENTENCES
from edgekit_export.data.voices import draw_voice
from edgekit_export.golden import draw_scene

PICTURES = 24
SOUNDS = 12
GRAIN = 12.0
CALIBRATION_SEED, EVALUATION_SEED = 1000, 2000


def write_data(kind: Kind, folder: Path) -> tuple[Path, Path]:
    """Writes data of a kind.

    Args:
        kind: what the model is given.
        folder: made here.

    Returns:
        A file or folder to calibrate on and another one to judge on.
    """
    return {"picture": _pictures, "text": _texts, "sound": _sounds}[kind](folder)


def _pictures(folder: Path) -> tuple[Path, Path]:
    parts = folder / "calibration", folder / "evaluation"
    for part, first in zip(parts, (CALIBRATION_SEED, EVALUATION_SEED), strict=True):
        part.mkdir(parents=True)
        for seed in range(first, first + PICTURES):
            cv2.imwrite(str(part / f"{seed}.png"), _grained(draw_scene(seed), seed))
    return parts


def _grained(picture: U8, seed: int) -> U8:
    """With the noise of a camera: of equal patches any may be a detector's best, and the last bits decide which."""
    noise = np.random.Generator(np.random.PCG64(seed)).normal(0.0, GRAIN, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def _texts(folder: Path) -> tuple[Path, Path]:
    """Each sentence alone and behind the one before it; odd ones to calibrate, even ones to judge."""
    folder.mkdir(parents=True)
    lines = [*SENTENCES, *(f"{a} {b}" for a, b in pairwise(SENTENCES))]
    parts = folder / "calibration.txt", folder / "evaluation.txt"
    for part, first in zip(parts, (1, 0), strict=True):
        part.write_text("\n\n".join(lines[first::2]) + "\n", encoding="utf-8")
    return parts


def _sounds(folder: Path) -> tuple[Path, Path]:
    parts = folder / "calibration", folder / "evaluation"
    for part, first in zip(parts, (CALIBRATION_SEED, EVALUATION_SEED), strict=True):
        part.mkdir(parents=True)
        for seed in range(first, first + SOUNDS):
            (part / f"{seed}.wav").write_bytes(write_wav(draw_voice(seed)))
    return parts
