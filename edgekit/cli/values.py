"""Sizes, drops and durations as people write them, and the other way round."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgekit.errors import UsageError

_NUMBER = r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_SIZE_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_LARGEST_SEED = 2**32 - 1
_TIME_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MaxDrop:
    """The largest accuracy drop allowed.

    Attributes:
        points: percentage points of the metric, or percent of the reference's value if ``relative``.
        relative: whether it was written with ``rel``.
    """

    points: float
    relative: bool = False

    def __str__(self) -> str:
        return f"{self.points:g}%{'rel' if self.relative else ''}"


def parse_size(text: str) -> int:
    """Bytes of ``5MB`` (10^6), ``5MiB`` (2^20) or ``5000000``.

    Raises:
        UsageError: not a size, or not a whole number of bytes above 0.
    """
    match = re.fullmatch(rf"\s*{_NUMBER}\s*([A-Za-z]*)\s*", text)
    unit = match[2].upper() if match else ""
    if not match or unit not in _SIZE_UNITS:
        raise UsageError(f"size: got {text!r}", "write 5MB (10^6 bytes), 5MiB (2^20) or plain bytes")
    size = math.floor(float(match[1]) * _SIZE_UNITS[unit] + 1e-6)
    if size < 1:
        raise UsageError(f"size: expected at least 1 byte, got {text!r}")
    return size


def parse_drop(text: str) -> MaxDrop:
    """Drop of ``0.5%`` (percentage points of the metric) or ``0.5%rel`` (of the reference's value).

    Raises:
        UsageError: not a drop, or outside 0 to 100 %.
    """
    match = re.fullmatch(rf"\s*{_NUMBER}\s*%\s*(rel)?\s*", text)
    if not match or float(match[1]) > 100:
        raise UsageError(f"drop: got {text!r}", "write 0.5% (points of the metric, 0 to 100) or 0.5%rel")
    return MaxDrop(float(match[1]), relative=match[2] is not None)


def parse_duration(text: str) -> float:
    """Milliseconds of ``100ms``, ``2s``, ``500us`` or ``1min``.

    Raises:
        UsageError: not a duration, or not above 0.
    """
    match = re.fullmatch(rf"\s*{_NUMBER}\s*([a-z]+)\s*", text)
    if not match or match[2] not in _TIME_UNITS_MS or float(match[1]) <= 0:
        raise UsageError(f"duration: got {text!r}", "write 100ms, 2s, 500us or 1min")
    return float(match[1]) * _TIME_UNITS_MS[match[2]]


def parse_count(text: str) -> int:
    """A whole number of at least 1.

    Raises:
        UsageError: anything else.
    """
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise UsageError(f"count: expected a whole number of at least 1, got {text!r}")
    return int(text)


def parse_seed(text: str) -> int:
    """A whole number from 0 to 2^32 - 1.

    Raises:
        UsageError: anything else.
    """
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _LARGEST_SEED:
        raise UsageError(f"seed: expected a whole number, 0 to {_LARGEST_SEED}, got {text!r}")
    return int(text)


def parse_path(text: str) -> Path:
    """A path. Nothing is no path: an unset variable of a shell would silently mean the current folder.

    Raises:
        UsageError: nothing.
    """
    if not text:
        raise UsageError("path: expected a file or folder, got nothing", "write . for the current folder")
    return Path(text)


def option(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Wraps a parser for argparse, so that its message names the option as well."""

    def convert(text: str) -> T:
        try:
            return parse(text)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def format_size(size_bytes: int) -> str:
    """``4.97 MB`` (10^6 bytes), ``12.3 kB`` or ``512 B``."""
    if size_bytes >= 10**6:
        return f"{size_bytes / 10**6:.2f} MB"
    return f"{size_bytes / 10**3:.1f} kB" if size_bytes >= 10**3 else f"{size_bytes} B"
