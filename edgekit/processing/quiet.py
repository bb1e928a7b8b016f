"""Keeps the messages of OpenCV and FFmpeg off stderr."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_SILENT = 0  # LOG_LEVEL_SILENT


@contextmanager
def quiet() -> Iterator[None]:
    """Silences both inside the block: what their messages mean is told in ours.

    FFmpeg's level is read once a process, when OpenCV first uses it, hence from the environment.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    logging = getattr(cv2.utils, "logging", cv2)  # OpenCV 4.10 to 4.12 have the functions at their top
    level = logging.getLogLevel()
    logging.setLogLevel(_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)
