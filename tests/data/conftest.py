from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def draw() -> Callable[..., Path]:
    """Writes a picture whose content follows from ``seed``; makes the folders it lies in."""

    def write(path: Path, seed: int = 0, size_wh: tuple[int, int] = (64, 48)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (size_wh[1], size_wh[0], 3), np.uint8)
        assert cv2.imwrite(str(path), pixels)
        return path

    return write


@pytest.fixture
def film() -> Callable[..., Path]:
    """Writes a clip of ``frames`` frames; frame ``i`` is grey of ``4 * i``."""

    def write(path: Path, frames: int = 20) -> Path:
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        for i in range(frames):
            writer.write(np.full((48, 64, 3), 4 * i, np.uint8))
        writer.release()
        assert path.stat().st_size > 0
        return path

    return write


@pytest.fixture
def write_json() -> Callable[..., Path]:
    """Writes ``content`` as JSON; makes the folders it lies in."""

    def write(path: Path, content: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write
