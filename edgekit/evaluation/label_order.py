"""The same labels in another order: what a person reads is a name, not an index."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from edgekit.errors import UsageError
from edgekit.types import Array


@lru_cache(maxsize=1)
def label_order(reference: tuple[str, ...], candidate: tuple[str, ...]) -> Array:
    """Where the candidate has each of the reference's labels.

    Returns:
        ``(classes,)`` int: the candidate's class of each class of the reference.

    Raises:
        UsageError: they have not the same labels.
    """
    if sorted(reference) != sorted(candidate):
        extra = next((label for label in candidate if label not in set(reference)), None)
        other = "others" if extra is None else f"e.g. {extra!r} is none of the reference's"
        raise UsageError(
            f"reference and candidate differ in their labels: {len(reference)} and {len(candidate)}, {other}",
            "compare variants of the same model; if they are, the candidate's label map is broken",
        )
    first, second = (sorted(range(len(labels)), key=labels.__getitem__) for labels in (reference, candidate))
    order = np.empty(len(reference), np.intp)
    order[first] = second
    return order
