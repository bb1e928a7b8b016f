"""Puts declared differences right in the candidate, one by one, and measures what that brings back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace as replace_struct

from edgekit.bundle.manifest import DbHead, Head, ImageInput
from edgekit.diagnosis.decision import Decision, decide, lost, regions, restored
from edgekit.diagnosis.declared import (
    ALPHABET,
    LABEL_MAP,
    Difference,
    activation_of,
    head_differences,
    input_differences,
    line_difference,
    text_stage,
)
from edgekit.diagnosis.evidence import decibel, evidence, noise, scores
from edgekit.diagnosis.graph import Graph
from edgekit.diagnosis.operations import normalize_of, repaired
from edgekit.errors import BundleError, DataError
from edgekit.evaluation.outcome import Finding
from edgekit.processing.preprocess import Prepared, prepare
from edgekit.types import F32, Array, Frame

WORSE = 1.25
"""Putting a stage right that was right makes the noise larger than this many times."""

NO_QUADS = np.zeros((0, 4, 2), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """One picture through one graph.

    Attributes:
        prepared: the graph's input.
        output: what the head reads; ``None`` if the graph refused the input.
        decisions: made of it.
        quads: ``(n, 4, 2)`` regions of text in picture pixels, of a detector.
    """

    prepared: Prepared
    output: Array | None
    decisions: tuple[Decision, ...]
    quads: F32


def passes(graph: Graph, frames: Sequence[Frame]) -> list[Pass]:
    """Runs a graph over pictures as it declares."""
    return [_pass(graph, frame) for frame in frames]


def _pass(graph: Graph, frame: Frame) -> Pass:
    prepared = prepare(frame, graph.input)
    if not fits(graph, prepared.tensor):
        return Pass(prepared, None, (), NO_QUADS)
    output = graph.run(prepared.tensor)
    found = regions(graph.model.head, output, prepared) if isinstance(graph.model.head, DbHead) else NO_QUADS
    return Pass(prepared, output, decide(graph, output, prepared), found)


def _attempt(graph: Graph, frame: Frame) -> Pass:
    """The same of operations that may not even fit the picture."""
    try:
        return _pass(graph, frame)
    except DataError:
        nothing = Prepared(np.zeros((1, 0, 0, 3), np.uint8), (1.0, 1.0), (0.0, 0.0), (0, 0))
        return Pass(nothing, None, (), NO_QUADS)


def fits(graph: Graph, tensor: Array) -> bool:
    """Whether the graph takes a tensor of this shape."""
    name = graph.input.tensor
    shape = next((spec.shape for spec in graph.session.inputs if spec.name == name), ())
    return len(shape) == tensor.ndim and all(
        a is None or a == b for a, b in zip(shape, tensor.shape, strict=True)
    )


def repaired_graph(reference: Graph, candidate: Graph, stages: frozenset[str]) -> Graph:
    """The candidate with these stages declared, and its texts read, as the reference has them."""
    model = replace_struct(
        candidate.model,
        input=repaired(reference.input, candidate.input, stages),
        head=_repaired_head(reference.model.head, candidate.model.head, stages),
    )
    texts = stages & {LABEL_MAP, ALPHABET}
    lines = reference.lines if texts else candidate.lines
    return Graph(candidate.role, model, candidate.session, lines)


def _repaired_head(reference: Head, candidate: Head, stages: frozenset[str]) -> Head:
    if type(reference) is not type(candidate):
        return candidate
    taken = {
        field: getattr(reference, field)
        for field in reference.__struct_fields__
        if field.replace("_", " ") in stages or (field in ("blank", "space_last") and ALPHABET in stages)
    }
    return replace_struct(candidate, **taken)


class Trials:
    """The candidate on the same pictures under any set of stages put right, each run once."""

    def __init__(
        self, reference: Graph, candidate: Graph, frames: Sequence[Frame], right: list[Pass]
    ) -> None:
        self.right = right
        self._graphs = reference, candidate
        self._frames = frames
        self._known: dict[frozenset[str], Trial] = {}

    def of(self, stages: frozenset[str]) -> Trial:
        """The candidate with these stages put right."""
        if stages not in self._known:
            graph = repaired_graph(*self._graphs, stages)
            made = [_attempt(graph, frame) for frame in self._frames]
            self._known[stages] = Trial(graph, made, self._graphs[0], self.right)
        return self._known[stages]


class Trial:
    """The candidate's passes, told against the reference's."""

    def __init__(self, graph: Graph, made: list[Pass], reference: Graph, right: list[Pass]) -> None:
        self.graph = graph
        self.passes = made
        self.runs = all(one.output is not None for one in made)
        self.lost = lost([one.decisions for one in right], [one.decisions for one in made])
        self._right = [(known(one), reference.model.head) for one in right]
        self._made = [(known(one), graph.model.head) for one in made]

    def noise(self, order: Array | None = None) -> float:
        """Of the logits, with the candidate's classes taken in another order."""
        made = [evidence(output, head) for output, head in self._made]
        if order is not None:
            made = [rows[:, order] for rows in made]
        return noise([evidence(output, head) for output, head in self._right], made)

    def score_noise(self) -> float:
        """Of the scores."""
        return noise(
            [scores(o, head) for o, head in self._right], [scores(o, head) for o, head in self._made]
        )


def known(one: Pass) -> Array:
    """The output, or an empty one."""
    return np.zeros((1, 1), np.float32) if one.output is None else one.output


@dataclass(frozen=True, slots=True, eq=False)
class Declarations:
    """What came of the declared differences.

    Attributes:
        findings: those that are faults.
        candidate: with these put right.
        passes: of that, over the pictures.
        order: the candidate's class for each of the reference's, where its labels and its graph are rightly in
            another order; ``None`` where they are in the same.
    """

    findings: tuple[Finding, ...]
    candidate: Graph
    passes: list[Pass]
    order: Array | None


def declared_faults(
    reference: Graph, candidate: Graph, frames: Sequence[Frame], right: list[Pass]
) -> Declarations:
    """Measures every declared difference.

    Args:
        reference: the graph that is right.
        candidate: the graph in question.
        frames: pictures as this graph gets them.
        right: what the reference made of them.
    """
    order = _matching_order(reference, candidate)
    trials = Trials(reference, candidate, frames, right)
    if order is not None and not trials.of(frozenset()).noise(order) < 0.5 * trials.of(frozenset()).noise():
        order = None
    differences = list(_differences(reference, candidate, texts=order is None))
    every = frozenset(d.stage for d in differences)
    findings = [f for d in differences if (f := _judged(d, trials, every, reference)) is not None]
    stages = frozenset(f.stage for f in findings)
    last = trials.of(stages)
    return Declarations(tuple(findings), last.graph, last.passes, order)


def _matching_order(reference: Graph, candidate: Graph) -> Array | None:
    """Where each of the reference's classes is in a candidate that has the same ones in another order."""
    if reference.lines == candidate.lines or sorted(reference.lines) != sorted(candidate.lines):
        return None
    try:
        wanted, own = reference.classes, candidate.classes
    except BundleError:
        return None
    if sorted(wanted) != sorted(own):
        return None
    by_name = np.argsort(np.asarray(own, object), kind="stable")
    order = np.empty(len(own), np.intp)
    order[np.argsort(np.asarray(wanted, object), kind="stable")] = by_name
    return order


def _differences(reference: Graph, candidate: Graph, texts: bool) -> Iterator[Difference]:
    right, own = reference.model, candidate.model
    inputs = reference.input, candidate.input
    found = [*input_differences(*inputs), *_normalize_left_out(*inputs)]
    found += head_differences(right.head, own.head)
    if activation_of(right.head) != activation_of(own.head):
        found.append(Difference("activation", activation_of(right.head), activation_of(own.head)))
    stage = text_stage(right.head)
    lines = line_difference(stage, reference.lines, candidate.lines) if texts else None
    if lines is not None:
        found = [lines, *(one for one in found if one.stage != stage)]
    return iter({one.stage: one for one in reversed(found)}.values())


def _normalize_left_out(reference: ImageInput, candidate: ImageInput) -> Iterator[Difference]:
    right = normalize_of(reference)
    if right is not None and normalize_of(candidate) is None and candidate.dtype == "float32":
        yield Difference("mean", f"{right.mean}", "none")
        yield Difference("std", f"{right.std}", "none")


PREPROCESSING = frozenset({"resize", "crop", "channel order", "mean", "std"})


def _judged(
    difference: Difference, trials: Trials, every: frozenset[str], reference: Graph
) -> Finding | None:
    """A finding, unless the difference is harmless or rightly there."""
    stage = difference.stage
    as_is, alone, together = (trials.of(s) for s in (frozenset[str](), frozenset({stage}), every))
    back = restored(as_is.lost, alone.lost if alone.runs else together.lost)
    said = Finding(stage, reference.role, str(difference), back)
    if stage in (LABEL_MAP, ALPHABET):
        return said
    if stage == "activation":
        return said if alone.score_noise() < 0.5 * as_is.score_noise() else None
    if stage not in PREPROCESSING and stage in _head_stages(reference.model.head):
        return said if back else None
    pairs = [(as_is, alone), (trials.of(every - {stage}), together)]
    pairs = [(before, after) for before, after in pairs if _changes(before, after) and after.runs]
    ratios = [_ratio(before, after) for before, after in pairs]
    if not ratios or min(ratios) > WORSE:
        return None if together.runs else said
    before, after = pairs[int(np.argmin(ratios))]
    figures = f"; right, signal to noise goes from {decibel(before.noise())} to {decibel(after.noise())}"
    return Finding(stage, reference.role, str(difference) + figures, back)


def _head_stages(head: Head) -> frozenset[str]:
    return frozenset(field.replace("_", " ") for field in head.__struct_fields__)


def _changes(before: Trial, after: Trial) -> bool:
    """Whether the graph was given anything else."""
    return any(
        not np.array_equal(a.prepared.tensor, b.prepared.tensor)
        for a, b in zip(before.passes, after.passes, strict=True)
    )


def _ratio(before: Trial, after: Trial) -> float:
    if not before.runs:
        return 0.0
    return after.noise() / max(before.noise(), 1e-12)
