"""Text from a recogniser's probabilities: greedy decoding of connectionist temporal classification.

Graves, Fernández, Gomez and Schmidhuber, ICML 2006, section 3.2 ("best path decoding").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from edgekit.bundle.manifest import CtcHead
from edgekit.errors import BundleError
from edgekit.processing.activations import activate
from edgekit.types import Array


def read_symbols(text: str) -> tuple[str, ...]:
    """Symbols of an alphabet file: one a line, lines ended by ``\\n`` alone (a symbol may be a space)."""
    return tuple(text.removesuffix("\n").split("\n"))


def class_symbols(symbols: Sequence[str], head: CtcHead) -> tuple[str, ...]:
    """What each class of the head stands for; the blank stands for the empty string.

    Raises:
        BundleError: the blank's index lies outside the alphabet.
    """
    rest = [*symbols, " "] if head.space_last else list(symbols)
    if head.blank > len(rest):
        raise BundleError(f"ctc head: expected a blank from 0 to {len(rest)}, got {head.blank}")
    return (*rest[: head.blank], "", *rest[head.blank :])


def only_line(outputs: Array, tensor: str) -> Array:
    """``(steps, classes)`` of a graph that is given one line, or one window, at a time.

    Raises:
        BundleError: the outputs are not ``(1, steps, classes)``.
    """
    if outputs.ndim != 3 or outputs.shape[0] != 1:
        raise BundleError(f"{tensor}: expected output (1, steps, classes), got {outputs.shape}")
    line: Array = outputs[0]
    return line


def decode(
    outputs: Array, classes: Sequence[str], blank: int, activation: Literal["softmax", "none"] = "none"
) -> tuple[str, float]:
    """The best class of each step, repeats merged, blanks removed.

    Args:
        outputs: ``(steps, classes)`` float: probabilities, or logits where ``activation`` is ``softmax``.
        classes: what each class stands for, from :func:`class_symbols`.
        blank: the blank's class.
        activation: what makes probabilities of the outputs. Softmax changes no order, so it is computed for
            the steps that gave a character alone.

    Returns:
        The text and its score: mean probability of the steps that gave a character, 0 for an empty text.

    Raises:
        BundleError: the graph gives another number of classes than the alphabet has.
    """
    if outputs.ndim != 2 or outputs.shape[1] != len(classes):
        raise BundleError(
            f"recogniser: expected output (steps, {len(classes)}) for an alphabet of {len(classes)} classes, "
            f"got {outputs.shape}"
        )
    best = outputs.argmax(axis=1)
    kept = best != blank
    kept[1:] &= best[1:] != best[:-1]
    steps = np.flatnonzero(kept)
    if steps.size == 0:
        return "", 0.0
    chosen = outputs[steps].astype(np.float32)
    peaks = activate(chosen, activation)[np.arange(steps.size), best[steps]]
    score = float(peaks.astype(np.float64).mean())
    return "".join(classes[index] for index in best[steps]), score
