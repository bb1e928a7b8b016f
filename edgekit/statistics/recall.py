"""Whether embeddings find their like: recall among the nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from edgekit.types import F32, Array

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_ROWS = 512  # queries at a time: 20 MB for 10,000 samples


def answerable(labels: Array, sources: Array) -> Bools:
    """``(n,)`` whether another source has a sample with the same label, so that the query can be right at all.

    Args:
        labels: ``(n,)`` integers.
        sources: ``(n,)`` integers, what each sample was taken from.
    """
    pairs = np.unique(np.stack([labels, sources]), axis=1)
    names, counts = np.unique(pairs[0], return_counts=True)
    return np.asarray(counts[np.searchsorted(names, labels)] > 1)


def ranks(vectors: Array, labels: Array, sources: Array) -> Ints:
    """``(n,)`` how many samples of other labels are at least as near as the nearest of the query's own.

    Samples of the query's own source are left out: crops of one photo find each other too easily. Ties go against
    the query, or a model that gives every input the same vector would be perfect. ``n`` where no other source
    has the label.

    ``ranks < k`` is recall@k by query. Two models' values on the same samples are paired 0/1 outcomes, as
    :func:`edgekit.statistics.paired.tango` takes them, for the gallery that there is.

    Args:
        vectors: ``(n, d)`` embeddings of any length; a zero vector has the cosine 0 to all.
        labels: ``(n,)`` integers.
        sources: ``(n,)`` integers, what each sample was taken from.
    """
    found = np.full(len(vectors), len(vectors), np.int64)
    for rows, cosine in _cosines(vectors, sources):
        same = labels[rows, None] == labels
        best = np.where(same, cosine, -np.inf).max(axis=1)
        nearer = (~same & (cosine >= best[:, None])).sum(axis=1)
        found[rows] = np.where(best > -np.inf, nearer, len(vectors))
    return found


def nearest(vectors: Array, sources: Array) -> Ints:
    """``(n,)`` number of the sample of another source that is nearest by cosine; of equal ones the first.

    -1 where there is no other source. Arguments as for :func:`ranks`.
    """
    found = np.full(len(vectors), -1, np.int64)
    for rows, cosine in _cosines(vectors, sources):
        best = cosine.argmax(axis=1)
        alone = np.take_along_axis(cosine, best[:, None], axis=1)[:, 0] == -np.inf
        found[rows] = np.where(alone, -1, best)
    return found


def _cosines(vectors: Array, sources: Array) -> Iterator[tuple[slice, F32]]:
    """Some rows at a time, ``(rows, n)`` cosines to all samples; -inf to those of the same source."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.zeros(vectors.shape, np.float32)
    np.divide(vectors, lengths, out=unit, where=lengths > 0, casting="same_kind")
    for start in range(0, len(unit), _ROWS):
        rows = slice(start, start + _ROWS)
        cosine = unit[rows] @ unit.T
        cosine[sources[rows, None] == sources] = -np.inf
        yield rows, cosine
