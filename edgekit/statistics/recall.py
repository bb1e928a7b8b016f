"""Whether embeddings find their like: recall among the nearest neighbours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgekit.types import Array

Bools = npt.NDArray[np.bool_]

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


def recalled(vectors: Array, labels: Array, sources: Array, k: int = 1) -> Bools:
    """``(n,)`` whether one of the ``k`` nearest other samples by cosine has the query's label (recall@k).

    Samples of the query's own source are left out: crops of one photo find each other too easily. Ties go against
    the query, or a model that gives every input the same vector would be perfect. Two models' values on the
    same samples are paired 0/1 outcomes, as :func:`edgekit.statistics.paired.tango` takes them, for the
    gallery that there is.

    Args:
        vectors: ``(n, d)`` embeddings of any length; a zero vector has the cosine 0 to all.
        labels: ``(n,)`` integers.
        sources: ``(n,)`` integers, what each sample was taken from.
        k: neighbours, at least 1.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros(vectors.shape), where=lengths > 0).astype(np.float32)
    right = np.zeros(len(unit), bool)
    for start in range(0, len(unit), _ROWS):
        rows = slice(start, start + _ROWS)
        cosine = unit[rows] @ unit.T
        cosine[sources[rows, None] == sources] = -np.inf
        same = labels[rows, None] == labels
        best = np.where(same, cosine, -np.inf).max(axis=1)
        nearer = (~same & (cosine >= best[:, None])).sum(axis=1)
        right[rows] = (best > -np.inf) & (nearer < k)
    return right
