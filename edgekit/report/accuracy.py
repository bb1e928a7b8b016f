"""The accuracy-drop report: an evaluation, what was compared, and where."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from edgekit.bundle.manifest import Card, Variant
from edgekit.bundle.reader import Bundle
from edgekit.evaluation.outcome import Evaluation, Part
from edgekit.machine import Machine
from edgekit.tasks.protocol import Task

SCHEMA = 1


class Subject(Part, frozen=True):
    """One side of the comparison.

    Attributes:
        bundle: name of the bundle.
        file: its file's name, and
        file_bytes: size.
        id: SHA-256 of its manifest, which covers every byte of it.
        variant: name of the variant that ran.
        recipe: how it was made.
        precision: of its weights and activations.
        bytes: size of the variant's model files.
        engine: engine and version.
        threads: inside one operator.
    """

    bundle: str
    file: str
    file_bytes: int
    id: str
    variant: str
    recipe: str
    precision: str
    bytes: int
    engine: str
    threads: int


class Report(Evaluation, frozen=True, kw_only=True):
    """Everything that ``report.json`` holds; the evaluation's fields stand at the top.

    Attributes:
        schema: version of this layout.
        kind: which report this is.
        subjects: by ``reference`` and ``candidate``.
        machine: where it was measured.
        card: of the candidate: what it is for, and what it cannot do.
    """

    schema: int = SCHEMA
    kind: Literal["accuracy"] = "accuracy"
    subjects: dict[str, Subject]
    machine: dict[str, Any]
    card: Card


def subject_of(bundle: Bundle, variant: Variant, task: Task) -> Subject:
    """Describes one side.

    Args:
        bundle: where it came from.
        variant: of the bundle.
        task: the same variant, loaded.
    """
    return Subject(
        bundle=bundle.manifest.name,
        file=bundle.path.name,
        file_bytes=bundle.size_bytes,
        id=bundle.id,
        variant=variant.name,
        recipe=variant.recipe,
        precision=variant.precision,
        bytes=variant.bytes,
        engine=task.engine,
        threads=task.threads,
    )


def report_of(
    evaluation: Evaluation, *, reference: Subject, candidate: Subject, machine: Machine, card: Card
) -> Report:
    """Puts a report together."""
    fields = {name: getattr(evaluation, name) for name in Evaluation.__struct_fields__}
    subjects = {"reference": reference, "candidate": candidate}
    return Report(**fields, subjects=subjects, machine=machine.as_json(), card=card)


def as_json(report: Report) -> dict[str, Any]:
    """All but the thumbnails, as ``edgekit validate --json`` prints it."""
    fields: dict[str, Any] = msgspec.to_builtins(report)
    for entry in fields["worst"]:
        del entry["thumbnail"]
    return fields
