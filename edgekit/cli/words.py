"""Results in words, for a person at a terminal."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.types import Detections, Result


def lines_of(result: Result) -> list[str]:
    """One line a class, line of text or object; the five best of classes, the objects that count as found.

    Text that was found stands as it is.
    """
    from edgekit.types import (
        ChoiceScores,
        Classification,
        Detections,
        Embedding,
        Generation,
        TextRegions,
        VoiceActivity,
    )

    match result:
        case Classification():
            return [f"{entry.score:6.1%}  {entry.label}" for entry in result.top(5)]
        case TextRegions():
            return [f"{score:6.1%}  {text}" for _, text, score in result] or ["no text"]
        case Detections():
            return _objects(result)
        case Embedding():
            return [f"a vector of {result.vector.size} values"]
        case Generation():
            return result.text.split("\n")
        case VoiceActivity():
            found = [f"speech from {start:.2f} to {end:.2f} s" for start, end in result.segments_s.tolist()]
            return found or ["no speech"]
        case ChoiceScores():
            return [f"answer {result.best + 1} of {len(result.scores)}"]
    perplexity = math.exp(-float(result.logprob.mean()))
    return [f"{len(result.logprob)} tokens, perplexity {perplexity:.3g}"]


def in_short(result: Result) -> str:
    """One line: the best class, the first line of text with how many more there are, how many objects of each label."""
    from edgekit.types import Detections, TextRegions, VoiceActivity

    if isinstance(result, VoiceActivity):
        return f"{result.seconds_of_speech:.2f} s of speech in {len(result)} stretches"
    if isinstance(result, Detections):
        counted = Counter(result.found().label)
        return ", ".join(f"{n} {label}" for label, n in counted.most_common()) or "no object"
    first, *others = (
        list(result.texts) or ["no text"] if isinstance(result, TextRegions) else lines_of(result)
    )
    more = f" (+{len(others)} lines)" if others and isinstance(result, TextRegions) else ""
    return first.strip() + more


def _objects(result: Detections) -> list[str]:
    found = result.found()
    lines = [
        f"{score:6.1%}  {label}  at {', '.join(f'{v:.0f}' for v in box)}"
        for box, score, label in zip(found.xyxy, found.score, found.label, strict=True)
    ]
    less = len(result) - len(found)
    faint = [f"{less} more with lower scores"] if less else []
    return [*(lines or ["no object"]), *faint]
