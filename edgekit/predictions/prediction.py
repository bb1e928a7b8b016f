"""What one side made of one sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from edgekit.evaluation.outcome import Part
from edgekit.predictions.record import Record, Vector, pack, to_record, to_result, unpack
from edgekit.tasks.trace import Trace
from edgekit.types import F32, Result

LARGEST_RAW = 16_384
"""Values of raw output that are recorded a sample at the most: a classifier's logits, not a recogniser's map."""


class Key(NamedTuple):
    """Which sample, under which condition; ``condition`` is empty where it is measured as it is."""

    number: int
    condition: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A result with what else is known of how it came about.

    Attributes:
        result: of the task.
        ms: pre-processing, engine and post-processing together; ``None`` if nobody timed it.
        raw: ``(n,)`` float32 raw outputs of a task of one engine call, up to :data:`LARGEST_RAW` values.
        trace: the engine calls, where the task has just run.
    """

    result: Result
    ms: float | None = None
    raw: F32 | None = None
    trace: Trace | None = None


class Entry(Part, frozen=True):
    """A prediction in a file.

    Attributes:
        number: running number of the sample in its data.
        result: what came out.
        condition: what the sample was put under, empty if nothing.
        id: the sample's name, for people and for a check.
        ms: as :attr:`Prediction.ms`.
        raw: as :attr:`Prediction.raw`.
    """

    number: int
    result: Record
    condition: str = ""
    id: str = ""
    ms: float | None = None
    raw: Vector | None = None


def to_entry(key: Key, sample_id: str, prediction: Prediction) -> Entry:
    """A prediction as it is written."""
    raw = None if prediction.raw is None else pack(prediction.raw)
    return Entry(key.number, to_record(prediction.result), key.condition, sample_id, prediction.ms, raw)


def to_prediction(entry: Entry, labels: tuple[str, ...], where: str) -> Prediction:
    """A prediction as it was written; see :func:`edgekit.predictions.record.to_result`."""
    raw = None if entry.raw is None else unpack(entry.raw)
    return Prediction(to_result(entry.result, labels, where), entry.ms, raw)


def raw_of(trace: Trace) -> F32 | None:
    """Raw outputs of a task that calls its engine once, if they are few enough to record."""
    if len(trace.calls) != 1:
        return None
    outputs = trace.calls[0].outputs
    if not 0 < sum(output.size for output in outputs) <= LARGEST_RAW:
        return None
    return np.concatenate([output.reshape(-1) for output in outputs]).astype(np.float32)
