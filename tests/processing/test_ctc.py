import numpy as np
import pytest

from edgekit.bundle.manifest import CtcHead
from edgekit.errors import BundleError
from edgekit.processing.ctc import class_symbols, decode, read_symbols

CLASSES = ("", "a", "b", " ")


def steps(*classes: int, peak: float = 0.7) -> np.ndarray:
    probabilities = np.full((len(classes), len(CLASSES)), (1 - peak) / 3, np.float32)
    probabilities[np.arange(len(classes)), classes] = peak
    return probabilities


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ([], ""),
        ([0, 0, 0], ""),
        ([1], "a"),
        ([1, 1, 1], "a"),
        ([1, 0, 1], "aa"),
        ([0, 1, 2, 2, 0, 2, 3, 1, 0], "abb a"),
        ([3, 1, 3], " a "),
    ],
)
def test_repeats_merge_and_blanks_vanish(classes, text):
    decoded, score = decode(steps(*classes), CLASSES, blank=0)
    assert decoded == text
    assert score == pytest.approx(0.7 if text else 0.0, abs=1e-6)


def test_score_is_the_mean_over_the_steps_that_gave_a_character():
    probabilities = np.concatenate(
        [steps(1, peak=0.9), steps(1, peak=0.4), steps(0, peak=1.0), steps(2, peak=0.5)]
    )
    assert decode(probabilities, CLASSES, 0) == ("ab", pytest.approx(0.7, abs=1e-6))  # (0.9 + 0.5) / 2


def test_blank_in_the_last_place():
    classes = class_symbols(("a", "b"), CtcHead("y", "a.txt", blank=2, space_last=False))
    assert classes == ("a", "b", "")
    assert decode(np.eye(3, dtype=np.float32)[[0, 0, 2, 1]], classes, 2) == ("ab", 1.0)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (CtcHead("y", "a.txt", 0, True), ("", "x", "y", " ")),
        (CtcHead("y", "a.txt", 0, False), ("", "x", "y")),
        (CtcHead("y", "a.txt", 1, True), ("x", "", "y", " ")),
        (CtcHead("y", "a.txt", 3, True), ("x", "y", " ", "")),
    ],
)
def test_classes_of_a_head(head, expected):
    assert class_symbols(("x", "y"), head) == expected


def test_blank_outside_the_alphabet_is_refused():
    with pytest.raises(BundleError, match="blank from 0 to 2, got 3"):
        class_symbols(("x", "y"), CtcHead("y", "a.txt", 3, False))


def test_symbols_are_split_at_newlines_alone():
    assert read_symbols("a\n\u3000\n\u2028\nb\n") == ("a", "\u3000", "\u2028", "b")
    assert read_symbols("a\n \nb") == ("a", " ", "b")


@pytest.mark.parametrize("shape", [(3, 5), (3, 3), (4,), (1, 3, 4)])
def test_another_number_of_classes_is_refused(shape):
    with pytest.raises(BundleError, match=r"expected output \(steps, 4\)"):
        decode(np.zeros(shape, np.float32), CLASSES, 0)


def test_logits_give_the_same_text_and_score_as_their_softmax():
    logits = np.random.default_rng(3).normal(0, 3, (40, 4)).astype(np.float32)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    text, score = decode(logits, CLASSES, 0, "softmax")
    assert (text, score) == (
        decode(probabilities, CLASSES, 0)[0],
        pytest.approx(decode(probabilities, CLASSES, 0)[1]),
    )
    assert len(text) > 10
    assert decode(np.asarray([[9, 0, 0, 0]], np.float32), CLASSES, 0, "softmax") == ("", 0.0)
