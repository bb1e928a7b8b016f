"""Pictures that both graphs are asked about, and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from edgekit.bundle.manifest import DbHead
from edgekit.diagnosis.alteration import MIDDLE, Alteration
from edgekit.diagnosis.evidence import evidence
from edgekit.diagnosis.graph import Graph
from edgekit.diagnosis.pixels import to_tensor
from edgekit.types import F32, Array

CONTRAST = 0.7
STRENGTHS = np.array([1.0, 0.85, 0.7], np.float32)
TINT = np.array([16, 0, -16], np.float32)
"""Contrast and brightness of the channels of a muted picture."""

LARGEST_SIDE = 224
"""Of a probe, where the graph takes any size."""


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Pictures, and the graphs that answer.

    Attributes:
        levels: ``(height, width, 3)`` RGB levels each, 0–255 and whole.
        reference: the graph that is right.
        candidate: the graph in question.
        asked: the candidate's logits for each, ``(positions, classes)``.
    """

    levels: tuple[F32, ...]
    reference: Graph
    candidate: Graph
    asked: tuple[F32, ...]
    _known: dict[int, tuple[Alteration, list[F32]]] = field(default_factory=dict, repr=False)

    def first(self, n: int) -> Probes:
        """The first few."""
        return Probes(self.levels[:n], self.reference, self.candidate, self.asked[:n])

    def answer(self, index: int, alteration: Alteration) -> F32:
        """The reference's logits for one picture, altered."""
        return logits(self.reference, alteration.levels(self.levels[index]))

    def answers(self, alteration: Alteration) -> list[F32]:
        """The same of all pictures; the last ones are remembered."""
        if id(alteration) not in self._known:
            self._known.clear()
            made = [self.answer(i, alteration) for i in range(len(self.levels))]
            self._known[id(alteration)] = (alteration, made)
        return self._known[id(alteration)][1]

    def wanted(self, alteration: Alteration) -> list[F32]:
        """The candidate's logits, altered: what the reference should give."""
        return [alteration.logits(rows) for rows in self.asked]


def probes(levels: Sequence[F32], reference: Graph, candidate: Graph) -> Probes:
    """Asks the candidate."""
    return Probes(tuple(levels), reference, candidate, tuple(logits(candidate, one) for one in levels))


def logits(graph: Graph, levels: F32) -> F32:
    """A graph's logits for RGB levels."""
    return evidence(graph.run(to_tensor(levels, graph.input)), graph.model.head)


def muted(levels: F32, turn: int = 0, contrast: float = CONTRAST, center: float = 128.0) -> F32:
    """The picture in less contrast, so that changed levels stay within 0–255.

    Each channel gets another contrast and another brightness: grey pictures do not tell one channel from another.

    Args:
        levels: ``(height, width, 3)``, 0–255.
        turn: which channel gets which; give another one to every picture.
        contrast: of the strongest channel.
        center: what a middle grey becomes, on average.
    """
    strengths, tint = (np.roll(values, turn) for values in (STRENGTHS, TINT))
    quiet = (levels - MIDDLE) * (contrast * strengths) + center + tint * (contrast / CONTRAST)
    return np.asarray(np.rint(np.clip(quiet, 0, 255)), np.float32)


def all_muted(levels: Sequence[F32], contrast: float = CONTRAST, center: float = 128.0) -> list[F32]:
    """:func:`muted` for several pictures, each in its own turn."""
    return [muted(one, turn, contrast, center) for turn, one in enumerate(levels)]


def cropped(levels: F32, graph: Graph, output: Array) -> F32:
    """A part of a picture, where the graph takes any size: answers come sooner.

    Of a page the part with the most text, by the map that the graph gave of it; otherwise the middle.
    """
    name, layout = graph.input.tensor, graph.input.layout
    shape = next(spec.shape for spec in graph.session.inputs if spec.name == name)
    free = [side is None for side in (shape[2:] if layout == "nchw" else shape[1:3])]
    height, width = levels.shape[:2]
    high, wide = (
        min(side, LARGEST_SIDE) if any_size else side
        for side, any_size in zip((height, width), free, strict=True)
    )
    top, left = (height - high) // 2, (width - wide) // 2
    if isinstance(graph.model.head, DbHead) and all(free):
        top, left = _fullest(output.reshape(output.shape[-2:]), (height, width), (high, wide))
    return levels[top : top + high, left : left + wide]


def _fullest(heat: Array, size_hw: tuple[int, int], part_hw: tuple[int, int]) -> tuple[int, int]:
    """Top and left, multiples of 32, of the part of a picture that a map is largest in."""
    full = cv2.resize(np.asarray(heat, np.float32), size_hw[::-1], interpolation=cv2.INTER_NEAREST)
    sums = cv2.integral(full)
    (height, width), (high, wide) = size_hw, part_hw
    corners = [(t, left) for t in range(0, height - high + 1, 32) for left in range(0, width - wide + 1, 32)]
    return max(
        corners,
        key=lambda c: (
            sums[c[0] + high, c[1] + wide]
            - sums[c[0], c[1] + wide]
            - sums[c[0] + high, c[1]]
            + sums[c[0], c[1]]
        ),
    )
