"""Results in words, for a person at a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.types import Result


def lines_of(result: Result) -> list[str]:
    """One line a class, line of text or object; the five best of classes. Text that was found stands as it is."""
    from edgekit.types import Classification, Detections, Embedding, Generation, TextRegions

    match result:
        case Classification():
            return [f"{entry.score:6.1%}  {entry.label}" for entry in result.top(5)]
        case TextRegions():
            return [f"{score:6.1%}  {text}" for _, text, score in result] or ["no text"]
        case Detections():
            return [
                f"{score:6.1%}  {label}  at {', '.join(f'{v:.0f}' for v in box)}"
                for box, score, label in zip(result.xyxy, result.score, result.label, strict=True)
            ] or ["no object"]
        case Embedding():
            return [f"a vector of {result.vector.size} values"]
        case Generation():
            return result.text.split("\n")
    perplexity = math.exp(-float(result.logprob.mean()))
    return [f"{len(result.logprob)} tokens, perplexity {perplexity:.3g}"]
