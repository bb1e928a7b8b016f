from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgekit.evaluation.outcome import Data
from edgekit.predictions.file import Header
from edgekit.predictions.prediction import Key, Prediction
from edgekit.predictions.writer import RecordingWriter
from edgekit.types import Classification

LABELS = ("a", "b", "c")


@pytest.fixture
def header() -> Header:
    """Of a classifier on made-up data."""
    return Header(
        task="classify", data=Data(("photos",), "f" * 64, "none"), labels=LABELS, conditions=("blur",)
    )


@pytest.fixture
def said() -> Callable[[int], Prediction]:
    """A prediction that differs from number to number."""

    def make(number: int) -> Prediction:
        scores = np.array([0.1, 0.2 + number / 3, 0.3], np.float32)
        return Prediction(Classification(scores, LABELS), 1.25 + number, scores * 7)

    return make


@pytest.fixture
def recorded(tmp_path: Path, header: Header, said: Callable[[int], Prediction]) -> Path:
    """A finished file of five samples, under no condition and under blur."""
    writer = RecordingWriter(tmp_path / "five.predictions", header)
    for number in range(5):
        for condition in ("", "blur"):
            writer.add(Key(number, condition), f"{number}.png", said(number))
    return writer.finish()
