"""Which member paths a bundle may hold, so that any file system can hold them side by side. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_LENGTH = 200
MAX_DEPTH = 8
RESERVED = ("manifest.json", "signature.json")
"""Members that the container itself names; no other may be called so, in any case."""

_SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))]
)


def path_fault(path: str) -> str | None:
    """What is wrong with one path, or ``None``.

    A path is one to eight segments joined by ``/``. A segment starts with an ASCII letter or digit, goes on
    with those and ``. _ -``, does not end in a dot and is no device name of Windows. So no path is absolute,
    leaves the folder, hides a file, holds a drive letter, or is spelt differently on another file system.
    """
    if len(path) > MAX_LENGTH:
        return f"is {len(path)} characters long, expected at most {MAX_LENGTH}"
    segments = path.split("/")
    if len(segments) > MAX_DEPTH:
        return f"has {len(segments)} levels, expected at most {MAX_DEPTH}"
    for segment in segments:
        if not _SEGMENT.fullmatch(segment):
            return f"has the segment {segment!r}, expected letters, digits and . _ -, a letter or digit first"
        if segment.partition(".")[0].lower() in _WINDOWS_DEVICES:
            return f"has the segment {segment!r}, a device name on Windows"
    if path.lower() in RESERVED:
        return "is a name that the container itself uses"
    return None


def first_fault(paths: Iterable[str]) -> str | None:
    """What is wrong with a set of paths, or ``None``: each one, and how they lie beside each other."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        fault = path_fault(path)
        if fault:
            return f"path {path!r} {fault}"
        lower = path.lower()
        if lower in files:
            if files[lower] == path:
                return f"path {path!r} is listed twice"
            return f"path {path!r} differs from {files[lower]!r} only in case"
        files[lower] = path
        for parent in _parents(path):
            known = folders.setdefault(parent.lower(), parent)
            if known != parent:
                return f"folder {parent!r} of {path!r} differs from {known!r} only in case"
    for lower in files.keys() & folders.keys():
        return f"path {files[lower]!r} is both a file and a folder"
    return None


def _parents(path: str) -> Iterable[str]:
    segments = path.split("/")
    return ("/".join(segments[:depth]) for depth in range(1, len(segments)))
