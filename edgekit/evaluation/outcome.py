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
Metric: TypeAlias = Literal[
    "top1",
    "cer",
    "wer",
    "ap",
    "recall_at_1",
    "exact_match",
    "perplexity",
    "bits_per_byte",
    "choice_accuracy",
    "disagreement",
]


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


class Measure(Part, frozen=True):
    """A metric beside the one that the gate is about.

    Attributes:
        name: e.g. ``top5``, ``ece``, ``kl``.
        meaning: what it is, in one sentence.
        unit: of all values: ``points`` of a percentage, or e.g. ``nats``.
        reference: its value for the reference; ``None`` where it is of both together, as a divergence is.
        candidate: the same of the candidate.
        drop: how much worse the candidate is, above 0 if it is.
        interval: of ``drop``, two-sided at the evaluation's confidence; ``None`` where nothing is known of it.
    """

    name: str
    meaning: str
    unit: str
    reference: float | None
    candidate: float | None
    drop: float
    interval: tuple[float, float] | None


class Slice(Part, frozen=True):
    """The primary metric on a part of the samples, or on all of them under another condition.

    Attributes:
        kind: what the part is: a ``class`` of the truth, a ``group`` that the data names, a ``condition``
            (blur, noise, …) that the same samples were put under.
        name: of the part.
        n: its samples.
        clusters: independent sources among them.
        reference: the metric of the reference, in percent, and
        candidate: of the candidate.
        drop: in points.
        interval: of the drop; it holds for all slices of this kind at once (Bonferroni), at the evaluation's
            confidence.
        changed: decisions that differ.
    """

    kind: Literal["class", "group", "condition"]
    name: str
    n: int
    clusters: int
    reference: float
    candidate: float
    drop: float
    interval: tuple[float, float]
    changed: int


class Look(Part, frozen=True):
    """One look at the gate on the way, when a measurement may stop early.

    Attributes:
        n: samples so far.
        confidence: two-sided level of this look's interval; the looks together keep the gate's error rate.
        interval: of the drop, in points.
        verdict: at this look.
    """

    n: int
    confidence: float
    interval: tuple[float, float]
    verdict: VerdictOrNone


class GoldenCheck(Part, frozen=True):
    """Whether this machine computes what the exporter measured; see :mod:`edgekit.selftest`.

    Attributes:
        inputs: golden inputs of the variant.
        failed: those that came out otherwise than allowed.
        exact: those that were equal to the bit.
        problem: what is wrong with the first that failed, empty if none did.
    """

    inputs: int
    failed: int
    exact: int
    problem: str


class Finding(Part, frozen=True):
    """A stage that the candidate computes otherwise than the reference; see :mod:`edgekit.diagnosis.diagnose`.

    Attributes:
        stage: ``channel order``, ``mean``, ``std``, ``resize``, ``crop``, ``label map``, ``CTC alphabet``,
            ``output scale``, or another one.
        role: which graph of the variant, e.g. ``recognize``.
        evidence: what shows it, in one sentence with figures.
        restored: share of the lost decisions that come back when this stage alone is put right; ``None``
            where that was not tried.
    """

    stage: str
    role: str
    evidence: str
    restored: float | None = None


class Worst(Part, frozen=True):
    """One of the samples that the candidate changes most.

    Attributes:
        id: of the sample.
        truth: its label or text; ``None`` where nobody said.
        reference: what the reference made of it, and
        candidate: the candidate, in words.
        severity: what the list is sorted by; see the scorer.
        changed: whether the decision differs.
        number: running number of the sample in its data.
        condition: what the sample was put under, empty if nothing.
        thumbnail: JPEG, only where a report was asked for.
    """

    id: str
    truth: str | None
    reference: str
    candidate: str
    severity: float
    changed: bool
    number: int = 0
    condition: str = ""
    thumbnail: bytes | None = None


class Data(Part, frozen=True):
    """What was measured on.

    Attributes:
        specs: as they were named.
        sha256: of contents, truths and the way samples are taken.
        truth: what is known of the samples.
    """

    specs: tuple[str, ...]
    sha256: str
    truth: Literal["label", "text", "answers", "boxes", "none"]


class Evaluation(Part, frozen=True):
    """Reference and candidate on the same samples.

    Attributes:
        task: name of the task.
        metric: ``top1``, ``cer`` or, without truth, ``disagreement``.
        meaning: what the metric is, in one sentence.
        n: samples.
        clusters: independent sources that they were taken from.
        unit: what the interval takes as independent: ``sample``, or ``source`` where sources gave several.
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
        data: what was measured on.
        worst: samples that changed most, worst first.
        measures: metrics beside this one.
        slices: the same metric by class, group and condition.
        untold: kinds of slices that are too many to be told.
        looks: at the gate, in order; one where all samples were measured at once.
        golden: whether this machine computes what the exporter measured; ``None`` where nothing was run.
        findings: stages at fault, if the candidate is broken; empty if none was found.
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
    data: Data
    worst: tuple[Worst, ...]
    measures: tuple[Measure, ...] = ()
    slices: tuple[Slice, ...] = ()
    untold: tuple[Literal["class", "group", "condition"], ...] = ()
    looks: tuple[Look, ...] = ()
    golden: GoldenCheck | None = None
    findings: tuple[Finding, ...] = ()
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
