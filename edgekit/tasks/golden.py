"""Golden vectors: what one input must give on every device, probed so that it stays small.

The exporter records them, ``selftest`` compares. Both go through the functions here, so that a probe means the
same on both sides.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np

from edgekit.errors import UsageError
from edgekit.processing.boxes import ious
from edgekit.tasks.generate import Generate
from edgekit.tasks.protocol import Task
from edgekit.tasks.settings import Settings
from edgekit.tasks.trace import Call, Trace
from edgekit.tasks.vision import VISION
from edgekit.tasks.vision_language import VisionLanguage
from edgekit.types import (
    Array,
    ChoiceScores,
    Classification,
    Content,
    Detections,
    Generation,
    Question,
    Result,
    TextRegions,
    TokenScores,
    VoiceActivity,
)

PROBE_VALUES = 1024
GOLDEN_TOKENS = 8
"""Of a language model's answer to a golden text."""
UNDECIDED_ROLES = frozenset({"detect", "encode", "orient", VISION})
"""Their outputs are maps of pixels or what another graph remembers or is given, no best class a position; or are
decided at a score of their own (orient)."""


def run_golden(task: Task, content: Content | Question, trace: Trace) -> Result:
    """Runs a golden input.

    Language models go on with the text as it is, which is no turn, greedily, and remember nothing from before; a
    question about a picture is a turn.
    """
    if isinstance(content, Question):
        if not isinstance(task, VisionLanguage):
            raise UsageError(f"{task.bundle_name}: task {task.name!r} answers no questions about pictures")
        task.forget()
        return task(content, trace, Settings(max_tokens=GOLDEN_TOKENS))
    if isinstance(task, Generate) and isinstance(content, str):
        task.forget()
        room = max(task.capacity - GOLDEN_TOKENS, 1)  # of a short context a text's beginning
        return task(task.tokens(content)[:room], trace, Settings(max_tokens=GOLDEN_TOKENS))
    return task(content, trace)


def probe(output: Array, values: int = PROBE_VALUES) -> Array:
    """Values of an output at evenly spread flat indices.

    Args:
        output: any shape.
        values: how many at the most.

    Returns:
        ``(n,)`` of the same dtype, ``output.reshape(-1)[floor(i * size / n)]``.
    """
    flat = np.ascontiguousarray(output).reshape(-1)
    n = min(values, flat.size)
    return flat[np.arange(n) * flat.size // max(n, 1)]


def digest(output: Array) -> str:
    """SHA-256 of an array's bytes in C order, little endian."""
    return hashlib.sha256(
        np.ascontiguousarray(output).astype(output.dtype.newbyteorder("<")).tobytes()
    ).hexdigest()


def decision(result: Result) -> str:
    """A result in short: the index of the best class, the text, or the objects; empty where nothing is decided.

    Of a language model's answer it is the ids of its tokens, with single spaces between; of a text that it was measured
    on, how it goes on; of a question, the number of the likeliest answer.

    An object that counts as found is a line: left, top, right, bottom in whole pixels, and its label. A stretch of
    speech is a line: its beginning and end in seconds, with three digits.
    """
    if isinstance(result, Classification):
        return str(result.top(1)[0].index)
    if isinstance(result, Detections):
        found = result.found()
        boxes = np.floor(found.xyxy + 0.5).astype(int).tolist()
        return "\n".join(
            f"{' '.join(map(str, box))} {label}" for box, label in zip(boxes, found.label, strict=True)
        )
    if isinstance(result, VoiceActivity):
        return "\n".join(f"{start:.3f} {end:.3f}" for start, end in result.segments_s.tolist())
    if isinstance(result, Generation) and result.finish is not None:
        return " ".join(map(str, result.tokens))
    if isinstance(result, TokenScores):
        return result.answer_text
    if isinstance(result, ChoiceScores):
        return str(result.best)
    return result.text if isinstance(result, TextRegions | Generation) else ""


GOLDEN_OVERLAP = 0.9
"""IoU of an object that a device finds with the recorded one; smaller is another box."""


def alike(task: str, first: str, second: str, overlap: float = 0.5) -> bool:
    """Whether two decisions are the same: equal texts, or for ``detect`` objects that pair off.

    Boxes move a little with the last bits of a float. So each object of ``first``, in order, takes the object of
    ``second`` of its label that overlaps it most, by an IoU of at least ``overlap``; none may stay alone.
    """
    if task != "detect" or first == second:
        return first == second
    left = _objects(second)
    for box, label in _objects(first):
        fitting = [(ious(box, other)[0, 0], i) for i, (other, name) in enumerate(left) if name == label]
        best = max(fitting, default=(0.0, -1), key=lambda pair: pair[0])
        if best[0] < overlap:
            return False
        del left[best[1]]
    return not left


def _objects(decided: str) -> list[tuple[Array, str]]:
    """``(1, 4)`` box and label of each object of a detector's decision."""
    lines = [line.split(" ", 4) for line in decided.split("\n") if line]
    return [(np.array([parts[:4]], np.float32), parts[4]) for parts in lines]


def margin(result: Result, calls: Sequence[Call]) -> float | None:
    """How far the result is from another decision.

    Of detectors the smallest distance of an object's score from the one it counts from, 0 where there is none at all;
    of voice activity that of a frame's score from the threshold;
    of others the smallest distance between the best and the second-best class over all positions of all outputs.
    Outputs of text detectors, and outputs with fewer than two classes, decide nothing there and are left out.

    Returns:
        The distance, in units of the graphs' outputs or of scores; None where nothing is decided.
    """
    if isinstance(result, Detections):
        limit = result.found_score
        return float(np.abs(result.score - limit).min(initial=limit)) if len(result) else 0.0
    if isinstance(result, VoiceActivity):
        return float(np.abs(result.scores - result.threshold).min())
    smallest = math.inf
    for call in calls:
        if call.role in UNDECIDED_ROLES:
            continue
        for _, output in call.told:
            if output.ndim and output.shape[-1] >= 2 and output.size:
                best = np.partition(output.astype(np.float64), -2, axis=-1)[..., -2:]
                smallest = min(smallest, float((best[..., 1] - best[..., 0]).min()))
    return smallest if math.isfinite(smallest) else None
