"""From the name of a class, as data spells it, to its index."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TypeAlias

from edgekit.errors import DataError


class LabelIndex:
    """Finds classes by name.

    A name is found if it equals a label, or one of the names that a label lists with commas (``tabby, tabby
    cat``) if only one label lists it; case, and ``_`` for space, do not matter. A number is an index where no
    label is called so.

    Args:
        labels: the model's, in the order of its classes.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._whole: dict[str, list[int]] = {}
        self._part: dict[str, list[int]] = {}
        for i, label in enumerate(labels):
            self._whole.setdefault(_plain(label), []).append(i)
            for part in {_plain(p) for p in label.split(",")}:
                self._part.setdefault(part, []).append(i)

    def find(self, name: str | int, where: str) -> int:
        """Index of a class.

        Args:
            name: label or index.
            where: what the message names as the origin.

        Raises:
            DataError: the model does not know it, or more than one label fits; the message names the nearest.
        """
        key = _plain(str(name))
        if not isinstance(name, int):
            for table in (self._whole, self._part):
                found = table.get(key, [])
                if len(found) == 1:
                    return found[0]
                if found:
                    which = ", ".join(f"{i} {self._labels[i]!r}" for i in found[:4])
                    raise DataError(
                        f"{where}: label {name!r} fits {len(found)} classes: {which}", "give the index"
                    )
        if key.isdecimal() and int(key) < len(self._labels):
            return int(key)
        raise DataError(
            f"{where}: the model does not know the label {name!r} ({len(self._labels)} classes)",
            f"nearest: {self._nearest(key)}" if self._labels else "this model has no labels",
        )

    def _nearest(self, key: str) -> str:
        near = difflib.get_close_matches(key, self._part, n=3, cutoff=0.4)
        indices = [self._part[part][0] for part in near] or range(min(3, len(self._labels)))
        return ", ".join(repr(self._labels[i]) for i in dict.fromkeys(indices))


class SeenLabels:
    """Numbers classes in the order in which data names them first, where no model knows their names."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def find(self, name: str | int, where: str) -> int:
        """Index of a class; ``3`` and ``"3"`` are one.

        Args:
            name: of the class.
            where: what the message names as the origin.

        Raises:
            DataError: the name is empty.
        """
        if name == "":
            raise DataError(f"{where}: expected the name of a class, got nothing")
        return self._index.setdefault(str(name), len(self._index))


Labels: TypeAlias = LabelIndex | SeenLabels


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()
