"""Labels of a bundle: a member with one a line."""

from __future__ import annotations

from pathlib import Path

from edgekit.errors import BundleError


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels of a file with one a line, in the order of the classes.

    Raises:
        BundleError: no label in it.
    """
    text = path.read_text(encoding="utf-8").removesuffix("\n")
    labels = tuple(text.split("\n"))  # not splitlines: an alphabet may hold a U+2028 of its own
    if not text:
        raise BundleError(f"{path.name}: expected one label a line, got an empty file")
    return labels
