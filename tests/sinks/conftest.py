"""Outcomes to write."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.sinks.protocol import Outcome
from edgekit.types import Classification, Frame

CLASSES = Classification(np.array([0.25, 0.75], np.float32), ("cat", "dog"))


@pytest.fixture
def outcome():
    """Makes an outcome of a picture that differs from one index to the next."""

    def make(index=0, size_wh=(64, 48), age_ms=5.0, name=""):
        pixels = np.full((size_wh[1], size_wh[0], 3), 40 + index % 200, np.uint8)
        pixels[:, : size_wh[0] // 2] = 200
        return Outcome(Frame(pixels, "bgr", index, name=name), CLASSES, round(age_ms * 1e6), "int8")

    return make
