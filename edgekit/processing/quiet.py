"""Keeps the messages of OpenCV and FFmpeg off stderr."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def quiet() -> Iterator[None]:
    """Silences both inside the block: what their messages mean is told in ours.

    FFmpeg's level is read once a process, when OpenCV first uses it, hence from the environment.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    logging = cv2.utils.logging
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)
