"""Inputs that lie inside a bundle: by the ending of a member's name a picture, a text or a sound, or what is asked."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from edgekit.bundle.manifest import Golden
from edgekit.bundle.reader import Bundle
from edgekit.errors import BundleError, DataError
from edgekit.processing.wav import read_wav
from edgekit.types import Content, Frame, Question, Sound


def golden_content(bundle: Bundle, golden: Golden) -> Content | Question:
    """Reads a golden input, with the question about it if there is one.

    Raises:
        BundleError: it is not what its name says.
    """
    content = read_content(bundle.read(golden.input), golden.input)
    return Question(content, golden.question) if isinstance(content, Frame) and golden.question else content


def read_content(data: bytes, name: str) -> Content:
    """Decodes a golden input.

    Args:
        data: the member's bytes.
        name: the member's, which says what it is.

    Raises:
        BundleError: it is not what its name says.
    """
    for ending, read in READERS.items():
        if name.endswith(ending):
            return read(data, name)
    raise BundleError(f"{name}: expected an input that ends in {', '.join(READERS)}")


def _picture(data: bytes, name: str) -> Frame:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise BundleError(f"{name}: golden input cannot be decoded")
    return Frame(np.asarray(pixels, dtype=np.uint8), color="bgr", name=name)


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BundleError(f"{name}: golden text is not UTF-8 at byte {error.start}") from error


def _sound(data: bytes, name: str) -> Sound:
    try:
        return read_wav(data, name)
    except DataError as error:
        raise BundleError(error.message) from error


READERS: dict[str, Callable[[bytes, str], Content]] = {".png": _picture, ".txt": _text, ".wav": _sound}
"""Ending → what decodes it."""
