"""Finds the stage at fault in a candidate that decides otherwise than its reference.

Declared differences are put right one by one and measured. What is left lies in the graph: both graphs are then
given the very same levels, and known faults are tried on them until they agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from edgekit.bundle.manifest import DbHead
from edgekit.diagnosis.alteration import Alteration
from edgekit.diagnosis.counterfactual import Declarations, Pass, declared_faults, fits, known, passes
from edgekit.diagnosis.decision import decide, lost, restored
from edgekit.diagnosis.declared import activation_of, is_decided
from edgekit.diagnosis.evidence import LARGEST_LOGIT, evidence, noise, rows_of
from edgekit.diagnosis.graph import Graph, graphs
from edgekit.diagnosis.hypotheses import explain
from edgekit.diagnosis.pixels import to_levels, to_tensor
from edgekit.diagnosis.probes import Probes, all_muted, cropped, probes
from edgekit.evaluation.outcome import Finding
from edgekit.predictions.contender import Live
from edgekit.processing import quads
from edgekit.types import F32, Array, Frame

PICTURES = 12
PROBES = 6
QUIET = 1e-4
"""Noise over signal below which a graph has no fault: half-precision weights leave 45 dB and more."""

ROUNDS = 3
SURE = 0.9
PEAK = 0.1
"""Certain pixels of a map, and by how much they may differ from the reference's."""

TOTAL = 0.02
"""Probabilities may add up to so much more or less than 1."""


def diagnose(reference: Live, candidate: Live, frames: Iterable[Frame]) -> tuple[Finding, ...]:
    """Names the stages at fault.

    Args:
        reference: what is right.
        candidate: what is in question; of the same task.
        frames: pictures; the first :data:`PICTURES` are looked at.

    Returns:
        Findings, those that were declared first; empty where the candidate has no fault that is known here. Graphs
        whose heads are not known here (neither classes, nor text, nor regions of text) are left out.

    Raises:
        DataError: a picture does not fit the reference.
        ModelError: an engine failed.
    """
    pictures = list(islice(frames, PICTURES))
    first, second = graphs(reference), graphs(candidate)
    findings: list[Finding] = []
    for role in first:
        if role in second and pictures and is_decided(first[role].model) and is_decided(second[role].model):
            found, seen = _diagnose_graph(first[role], second[role], pictures)
            findings += found
            if isinstance(first[role].model.head, DbHead):
                pictures = _lines(pictures, seen)
    return tuple(findings)


def _diagnose_graph(
    reference: Graph, candidate: Graph, frames: Sequence[Frame]
) -> tuple[list[Finding], list[Pass]]:
    right = passes(reference, frames)
    if type(reference.model.head) is not type(candidate.model.head):
        return [], right
    told = declared_faults(reference, candidate, frames, right)
    return [*told.findings, *_graph_faults(reference, told, right)], right


def _graph_faults(reference: Graph, told: Declarations, right: list[Pass]) -> list[Finding]:
    """Faults that the candidate's graph has built in; its declarations are right by now."""
    candidate, alteration = told.candidate, Alteration(order=told.order)
    levels = [to_levels(one.prepared.tensor, reference.input) for one in right]
    if not all(fits(candidate, to_tensor(one, candidate.input)) for one in levels):
        return []  # another input size: its pixels are others, which is no fault
    made = [known(one) for one in told.passes]
    if not _same_levels(levels, told):
        made = _asked(candidate, levels, alteration)
    wrong = _wrong_total(reference, right, made)
    if wrong is not None and isinstance(reference.model.head, DbHead):
        return [wrong]  # its logits are bent by that: nothing else could be told from them
    findings = [] if wrong is None else [wrong]
    if _noise(reference, candidate, right, made, alteration) < QUIET:
        return findings
    some = [cropped(one, reference, known(seen)) for one, seen in zip(levels[:PROBES], right, strict=False)]
    natural, quiet = (probes(x, reference, candidate) for x in (some, all_muted(some)))
    before = _lost(reference, right, made, alteration)
    for _ in range(ROUNDS):
        best = explain(natural, quiet, alteration) if _is_loud(quiet, alteration) else None
        if best is None:
            break
        alteration = best.alteration
        after = _lost(reference, right, _asked(candidate, levels, alteration), alteration)
        back = restored(before, after)
        findings += [
            Finding(stage, reference.role, f"inside the graph: {shown}", back) for stage, shown in best.stages
        ]
    return findings


def _wrong_total(reference: Graph, right: list[Pass], made: list[Array]) -> Finding | None:
    """Probabilities that are too large or small by a factor, which their logarithms would not show as one."""
    if isinstance(reference.model.head, DbHead):
        return _wrong_peak(reference, right, made)
    if activation_of(reference.model.head) != "none":
        return None
    totals = [
        np.concatenate([rows_of(x).sum(axis=1) for x in outputs]) for outputs in (map(known, right), made)
    ]
    (first, second), spreads = (float(t.mean()) for t in totals), [float(t.std()) for t in totals]
    if abs(first - 1) > TOTAL or max(spreads) > TOTAL or abs(second - 1) <= TOTAL or second <= 0:
        return None
    evidence = f"inside the graph: its probabilities add up to {second:.2f}"
    return Finding("output scale", reference.role, evidence)


def _wrong_peak(reference: Graph, right: list[Pass], made: list[Array]) -> Finding | None:
    """A map whose certain pixels are all too high or too low by one factor."""
    pairs = [(known(one).ravel(), output.ravel()) for one, output in zip(right, made, strict=True)]
    ratios = np.concatenate([b[a > SURE] / a[a > SURE] for a, b in pairs])
    if not ratios.size:
        return None
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    if abs(middle - 1) <= PEAK or high - low > PEAK / 2:
        return None
    evidence = f"inside the graph: its probabilities are {middle:.2f} times the reference's"
    return Finding("output scale", reference.role, evidence)


def _is_loud(asked: Probes, alteration: Alteration) -> bool:
    return noise(asked.answers(alteration), asked.wanted(alteration)) >= QUIET


def _same_levels(levels: Sequence[F32], told: Declarations) -> bool:
    spec = told.candidate.input
    return all(
        np.array_equal(to_tensor(one, spec), seen.prepared.tensor)
        for one, seen in zip(levels, told.passes, strict=True)
    )


def _asked(candidate: Graph, levels: Sequence[F32], alteration: Alteration) -> list[Array]:
    """The candidate's outputs for levels that make up for what is wrong in it."""
    spec = candidate.input
    return [candidate.run(to_tensor(alteration.inverse_levels(one), spec)) for one in levels]


def _noise(
    reference: Graph, candidate: Graph, right: list[Pass], made: list[Array], alteration: Alteration
) -> float:
    wanted = [evidence(known(one), reference.model.head) for one in right]
    return noise(wanted, [alteration.logits(evidence(one, candidate.model.head)) for one in made])


def _lost(
    reference: Graph, right: list[Pass], made: list[Array], alteration: Alteration
) -> frozenset[tuple[int, int]]:
    """The reference's decisions that these outputs, put right, do not make."""
    decided = [
        decide(reference, _put_right(reference, output, alteration), one.prepared)
        for output, one in zip(made, right, strict=True)
    ]
    return lost([one.decisions for one in right], decided)


def _put_right(reference: Graph, output: Array, alteration: Alteration) -> Array:
    """A scale changes no class: it is taken out of maps alone, which are held against thresholds."""
    head = reference.model.head
    if isinstance(head, DbHead):
        rows = alteration.logits(evidence(output, head)) - np.float32(LARGEST_LOGIT)
        return np.asarray(1 / (1 + np.exp(-rows)), np.float32).reshape(output.shape)
    return output if alteration.order is None else output[..., alteration.order]


def _lines(frames: Sequence[Frame], seen: Sequence[Pass]) -> list[Frame]:
    """The lines that the reference found, as its recogniser gets them, evenly picked."""
    lines = [
        Frame(quads.cut(frame.pixels, quads.along_text(quad)), frame.color)
        for frame, one in zip(frames, seen, strict=True)
        for quad in one.quads
    ]
    return lines[:: max(1, len(lines) // PICTURES)][:PICTURES]
