"""Whether a model is as often right as it says: the expected calibration error, and its change."""

from __future__ import annotations

import numpy as np

from edgekit.statistics.influence import influence_moments
from edgekit.statistics.ratio import F64, RatioMoments
from edgekit.types import Array

BINS = 15


def calibration_error(confidence: Array, right: Array) -> float:
    """Expected calibration error, 0–1 (Naeini et al., AAAI 2015; Guo et al., ICML 2017).

    ``sum over bins of |sum(confidence - right)| / n`` with 15 bins of equal width: the ones that published
    figures are of, and the same for every model, whereas bins of equal mass would lie elsewhere for each of two.
    The value is too high where samples are few; the change between two models on the same samples much less so.

    Args:
        confidence: ``(n,)`` probability of the best class, 0–1.
        right: ``(n,)`` bool, whether it is the true one.
    """
    error, _ = _error(confidence, right)
    return error


def calibration_rise(
    reference: tuple[Array, Array], candidate: tuple[Array, Array], clusters: Array
) -> RatioMoments:
    """Moments of the candidate's calibration error minus the reference's, on the same samples.

    Args:
        reference: ``confidence`` and ``right`` as in :func:`calibration_error`, and
        candidate: of the candidate.
        clusters: ``(n,)`` source of each sample, numbered from 0 without gaps.
    """
    before, influence = _error(*reference)
    after, influence_after = _error(*candidate)
    n = len(clusters)
    return influence_moments(after - before, influence_after - influence, np.full(n, 1 / n), clusters)


def _error(confidence: Array, right: Array) -> tuple[float, F64]:
    """The error, and ``(n,)`` the influence of each sample."""
    gap = np.asarray(confidence, np.float64) - right
    bins = np.clip(np.ceil(np.asarray(confidence, np.float64) * BINS).astype(int) - 1, 0, BINS - 1)
    signs = np.sign(np.bincount(bins, gap, BINS))
    terms: F64 = signs[bins] * gap
    error = float(terms.mean())
    return error, (terms - error) / len(terms)
