from __future__ import annotations

import numpy as np
import pytest

from edgekit.diagnosis.order import class_order, suspicious


def logits(rows: int, classes: int, noise: float, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    reference = rng.normal(0, 1, (rows, classes)).astype(np.float32)
    candidate = np.empty_like(reference)
    candidate[:, order] = reference
    return reference, (candidate + rng.normal(0, noise, candidate.shape)).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("classes", [3, 40, 1500])
def test_a_turned_order_is_found(classes: int, noise: float) -> None:
    order = np.roll(np.arange(classes), 1)
    reference, candidate = logits(60, classes, noise, order)
    assert suspicious(reference, candidate)
    assert class_order(reference, candidate).tolist() == order.tolist()


def test_two_exchanged_classes_are_found() -> None:
    order = np.arange(1500)
    order[[7, 1400]] = 1400, 7
    found = class_order(*logits(60, 1500, 0.3, order))
    assert np.flatnonzero(found != np.arange(1500)).tolist() == [7, 1400]


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("rows", [2, 8, 60])
def test_noise_moves_no_class(rows: int, noise: float) -> None:
    assert class_order(*logits(rows, 300, noise, np.arange(300))) is None


def test_unrelated_outputs_have_no_order() -> None:
    rng = np.random.default_rng(3)
    assert class_order(rng.normal(size=(40, 300)), rng.normal(size=(40, 300))) is None


def test_other_numbers_of_classes_have_no_order() -> None:
    assert class_order(np.zeros((9, 3), np.float32), np.zeros((9, 4), np.float32)) is None
