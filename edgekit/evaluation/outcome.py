"""What an accuracy-drop measurement found: the object behind the JSON, the report and the bundle's evidence.

All metric values are percentages, all differences percentage points.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from edgekit.bundle.manifest import Drop, Evidence
from edgekit.machine import Machine
from edgekit.statistics.quantiles import CONFIDENCE

VerdictOrNone: TypeAlias = Literal["PASS", "FAIL", "INCONCLUSIVE", "NONE"]
Metric: TypeAlias = Literal["top1", "cer", "disagreement"]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all parts: immutable, no unknown keys."""


class Flips(Part, frozen=True):
    """Samples that the candidate decides otherwise.

    Attributes:
        changed: how many decisions differ (the best class, the exact text).
        right_to_wrong: those that the reference had right and the candidate wrong; ``None`` without truth.
        wrong_to_right: the other way round.
    """

    changed: int
    right_to_wrong: int | None
    wrong_to_right: int | None


class Latency(Part, frozen=True):
    """Milliseconds a picture (pre-processing, engine, post-processing), from the samples measured on."""

    p50: float
    p95: float


class Worst(Part, frozen=True):
    """One of the samples that the candidate changes most.

    Attributes:
        id: of the sample.
        truth: its label or text; ``None`` where nobody said.
        reference: what the reference made of it, and
        candidate: the candidate, in words.
        severity: what the list is sorted by; see the scorer.
        changed: whether the decision differs.
        thumbnail: JPEG, only where a report was asked for.
    """

    id: str
    truth: str | None
    reference: str
    candidate: str
    severity: float
    changed: bool
    thumbnail: bytes | None = None


class Data(Part, frozen=True):
    """What was measured on.

    Attributes:
        specs: as they were named.
        sha256: of contents, truths and the way samples are taken.
        truth: ``label``, ``text`` or ``none``.
    """

    specs: tuple[str, ...]
    sha256: str
    truth: Literal["label", "text", "none"]


class Evaluation(Part, frozen=True):
    """Reference and candidate on the same samples.

    Attributes:
        task: name of the task.
        metric: ``top1``, ``cer`` or, without truth, ``disagreement``.
        meaning: what the metric is, in one sentence.
        n: samples.
        clusters: independent sources that they were taken from.
        unit: what the interval takes as independent: ``picture``, or ``source`` where sources gave several.
        reference: the metric of the reference, in percent (0 for disagreement), and
        candidate: of the candidate.
        drop: how much worse the candidate is, in points: reference minus candidate of an accuracy,
            candidate minus reference of an error rate.
        interval: of the drop, two-sided.
        confidence: of the interval.
        flips: decisions that differ.
        agreement: percentage of equal decisions.
        agreement_interval: of that.
        mcnemar_p: exact two-sided p-value that flips go both ways alike; only where samples are independent.
        sqnr_db: of the graph's raw outputs; ``None`` if they were never comparable, never differed, or are
            not finite.
        sqnr_n: samples that it was computed over.
        identical: whether all those outputs were equal to the bit.
        verdict: against ``max_drop``; ``NONE`` without one.
        reason: the verdict in one sentence.
        max_drop: largest drop allowed, in points.
        needed_n: samples of the same kind that an inconclusive result would need; ``None`` if none would do.
        least_n: fewest independent samples with which this gate can pass at all.
        latency_ms: by ``reference`` and ``candidate``.
        data: what was measured on.
        worst: samples that changed most, worst first.
    """

    task: str
    metric: Metric
    meaning: str
    n: int
    clusters: int
    unit: str
    reference: float
    candidate: float
    drop: float
    interval: tuple[float, float]
    flips: Flips
    agreement: float
    agreement_interval: tuple[float, float]
    mcnemar_p: float | None
    sqnr_db: float | None
    sqnr_n: int
    identical: bool
    verdict: VerdictOrNone
    reason: str
    max_drop: float | None
    needed_n: int | None
    least_n: int | None
    latency_ms: dict[str, Latency]
    data: Data
    worst: tuple[Worst, ...]
    confidence: float = CONFIDENCE

    @property
    def holds(self) -> bool:
        """Whether nothing was asked for, or what was asked for is proven."""
        return self.verdict in ("PASS", "NONE")

    def as_drop(self) -> Drop:
        """The drop as a bundle's manifest states it."""
        return Drop(self.metric, self.drop, self.interval, self.confidence, self.n, self.unit)

    def as_evidence(self, variant: str, runtime: str, machine: Machine) -> Evidence:
        """The summary that travels in the bundle; folders that lead to the data stay at home.

        Args:
            variant: name of the candidate variant.
            runtime: engine and version, :attr:`edgekit.tasks.protocol.Task.engine`.
            machine: where it was measured.
        """
        return Evidence(
            variant=variant,
            data=" ".join(spec.rsplit("/", 1)[-1] for spec in self.data.specs),
            data_sha256=self.data.sha256,
            drop=self.as_drop(),
            agreement=self.agreement,
            sqnr_db=self.sqnr_db,
            verdict=self.verdict,
            gate=self.max_drop,
            runtime=runtime,
            machine=str(machine),
            cpu_features=machine.features,
        )
