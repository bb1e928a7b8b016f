"""One side of a comparison: a loaded task, or what one said earlier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edgekit.data.sample import Choice, Input, InputKind, kind_of_input
from edgekit.errors import DataError, UsageError
from edgekit.predictions.file import Recording
from edgekit.predictions.prediction import Key, Prediction, raw_of
from edgekit.tasks.protocol import Task
from edgekit.tasks.trace import Trace
from edgekit.types import Question


class Side(Protocol):
    """Gives a prediction for every sample.

    Attributes:
        task: name of the task.
        name: of the bundle, for messages.
        variant: name of the variant.
        labels: of the classes, empty where the task has none.
        accepts: what the model is given; ``None`` where that is not known.
    """

    task: str
    name: str
    variant: str
    labels: tuple[str, ...]
    accepts: InputKind | None

    def predict(self, key: Key, sample_id: str, content: Callable[[], Input]) -> Prediction:
        """The prediction for one sample.

        Args:
            key: which sample, under which condition.
            sample_id: its name.
            content: gives the input, under that condition; not called where nothing is computed.

        Raises:
            DataError: the input cannot be decoded, or nothing was recorded for it.
            ModelError: an engine failed.
        """
        ...


class TaskSide:
    """A loaded task."""

    def __init__(self, task: Task) -> None:
        self.task = task.name
        self.name = task.bundle_name
        self.variant = task.variant
        self.labels: tuple[str, ...] = getattr(task, "labels", ())
        self.accepts: InputKind | None = task.accepts
        self._task = task

    def predict(self, key: Key, sample_id: str, content: Callable[[], Input]) -> Prediction:
        """Runs the task; see :class:`Side`."""
        given = content()
        kind = kind_of_input(given)
        if isinstance(given, Question | Choice) or kind != self._task.accepts:
            raise UsageError(f"{sample_id}: {self.name} takes a {self._task.accepts}, got a {kind}")
        trace = Trace()
        result = self._task(given, trace)
        return Prediction(result, round(sum(trace.ns.values()) / 1e6, 3), raw_of(trace), trace)


class RecordedSide:
    """What was recorded."""

    def __init__(self, recording: Recording) -> None:
        self.task = recording.header.task
        self.name = recording.path.name
        subject = recording.header.subject
        self.variant = self.name if subject is None else subject.variant
        self.labels = recording.header.labels
        self.accepts: InputKind | None = None
        self._recording = recording

    def predict(self, key: Key, sample_id: str, content: Callable[[], Input]) -> Prediction:
        """Reads the prediction; see :class:`Side`."""
        return self._recording.prediction(key, sample_id)


def check_recorded(recording: Recording, data_sha256: str, conditions: tuple[str, ...]) -> None:
    """Checks that predictions are of the data and conditions of this run.

    Raises:
        DataError: they are of others; a file of another tool that names no digest passes.
    """
    header = recording.header
    if header.data.sha256 and header.data.sha256 != data_sha256:
        raise DataError(
            f"{recording.path.name}: recorded on {' '.join(header.data.specs)}, SHA-256 "
            f"{header.data.sha256[:16]}…; the data of this run has {data_sha256[:16]}…",
            "give the same --data, --limit and --seed as when it was recorded, or record it again",
        )
    missing = [name for name in conditions if name not in header.conditions]
    if missing:
        raise DataError(
            f"{recording.path.name}: holds nothing under {', '.join(missing)}",
            "record it again with the same --robustness",
        )
