from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edgekit.data.sample import Sample, Truth
from edgekit.types import Classification, Frame, Generation, TextRegions


@pytest.fixture
def sample() -> Callable[..., Sample]:
    """A sample with a truth; its own cluster unless one is given."""

    def make(name: str, truth: Truth = None, cluster: str = "", group: str = "") -> Sample:
        return Sample(name, cluster or name, lambda: Frame(np.zeros((8, 8, 3), np.uint8)), truth, group)

    return make


@pytest.fixture
def chosen() -> Callable[..., Classification]:
    """A classification of ``a``, ``b`` and ``c`` whose best class is the given one."""

    def make(index: int, score: float = 0.8, labels: tuple[str, ...] = ("a", "b", "c")) -> Classification:
        scores = np.full(len(labels), (1 - score) / (len(labels) - 1), np.float32)
        scores[index] = score
        return Classification(scores, labels)

    return make


@pytest.fixture
def read() -> Callable[..., TextRegions]:
    """What was read: one region a line."""

    def make(*lines: str) -> TextRegions:
        n = len(lines)
        return TextRegions(np.zeros((n, 4, 2), np.float32), lines, np.ones(n, np.float32))

    return make


@pytest.fixture
def said() -> Callable[[str], Generation]:
    """A text that was generated."""
    return Generation
