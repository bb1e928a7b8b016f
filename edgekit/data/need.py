"""What a task is measured on: its input, and the truth that data may hold for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.data.labels import LabelIndex, Labels, SeenLabels
from edgekit.data.sample import InputKind, TruthKind
from edgekit.errors import UsageError

_INPUTS_OF_TASK: dict[str, tuple[InputKind, ...]] = {  # unless the model says what it is given
    "activity": ("sound",),
    "classify": ("picture",),
    "ocr": ("picture",),
    "detect": ("picture",),
    "vision_language": ("question", "picture"),
    "transcribe": ("sound",),
    "embed": ("picture", "text"),
    "generate": ("text",),
}
_TRUTH_OF_TASK: dict[str, TruthKind] = {
    "activity": "none",
    "classify": "label",
    "ocr": "text",
    "detect": "boxes",
    "vision_language": "answers",
    "transcribe": "text",
    "embed": "label",
    "generate": "none",
}


@dataclass(frozen=True, slots=True)
class Need:
    """What data must give for a task.

    Attributes:
        task: its name.
        inputs: what it may be given.
        truth: what may be known; ``none`` where the input itself is all there is to know.
        labels: finds the index of a class; ``None`` where the truth names no class.
    """

    task: str
    inputs: tuple[InputKind, ...]
    truth: TruthKind
    labels: Labels | None


def need_of(task: str, labels: Sequence[str], accepts: InputKind | None = None) -> Need:
    """What data must give for ``task``.

    Args:
        task: its name.
        labels: the model's, in the order of its classes; empty where it has none.
        accepts: what the model is given, of what models of this task may be given; ``None`` where that is not known.

    Raises:
        UsageError: a task that no data can be opened for.
    """
    if task not in _TRUTH_OF_TASK:
        raise UsageError(
            f"data: no data for the task {task!r}", f"tasks: {', '.join(sorted(_TRUTH_OF_TASK))}"
        )
    inputs, truth = _INPUTS_OF_TASK[task], _TRUTH_OF_TASK[task]
    if accepts is not None:
        inputs = (accepts,)
    index: Labels | None = None
    if task == "embed":
        index = SeenLabels()
    elif truth in ("label", "boxes"):
        index = LabelIndex(labels)
    return Need(task, inputs, truth, index)
