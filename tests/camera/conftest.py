"""Tiny clips, written by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


@pytest.fixture
def make_clip(tmp_path):
    """Writes an mp4 whose frame ``i`` is grey ``8 * i``, and returns its path."""

    def make(name="clip.mp4", frames=5, fps=10.0, size_wh=(64, 48)):
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), fps, size_wh)
        for i in range(frames):
            writer.write(np.full((size_wh[1], size_wh[0], 3), 8 * i, np.uint8))
        writer.release()
        return path

    return make
