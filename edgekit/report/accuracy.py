"""The accuracy-drop report: an evaluation, what was compared, where, and where the drop comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from edgekit.bundle.manifest import Card
from edgekit.errors import DataError
from edgekit.evaluation.origin import AgreementMatrix, GraphOrigin
from edgekit.evaluation.outcome import Evaluation, Part
from edgekit.evaluation.subject import Subject
from edgekit.machine import Machine

SCHEMA = 2


class Subjects(Part, frozen=True):
    """The two sides."""

    reference: Subject
    candidate: Subject


class Report(Evaluation, frozen=True, kw_only=True):
    """Everything that ``report.json`` holds; the evaluation's fields stand at the top.

    Attributes:
        schema: version of this layout.
        kind: which report this is.
        subjects: what was compared.
        machine: where it was measured.
        card: of the candidate: what it is for, and what it cannot do.
        graphs: role → where the noise of that graph of the candidate comes from.
        matrix: how often the variants of the candidate's bundle decide alike; ``None`` if not measured.
    """

    schema: int = SCHEMA
    kind: Literal["accuracy"] = "accuracy"
    subjects: Subjects
    machine: Machine
    card: Card
    graphs: dict[str, GraphOrigin] = msgspec.field(default_factory=dict)
    matrix: AgreementMatrix | None = None


class _Header(msgspec.Struct):
    """What tells one report from another; all else is passed over."""

    schema: int | None = None
    kind: str = ""


def report_of(
    evaluation: Evaluation,
    *,
    reference: Subject,
    candidate: Subject,
    machine: Machine,
    card: Card,
    graphs: Mapping[str, GraphOrigin] | None = None,
    matrix: AgreementMatrix | None = None,
) -> Report:
    """Puts a report together."""
    fields = {name: getattr(evaluation, name) for name in Evaluation.__struct_fields__}
    subjects = Subjects(reference, candidate)
    return Report(
        **fields, subjects=subjects, machine=machine, card=card, graphs=dict(graphs or {}), matrix=matrix
    )


def as_json(report: Report) -> dict[str, Any]:
    """All but the thumbnails, as ``edgekit validate --json`` prints it."""
    fields: dict[str, Any] = msgspec.to_builtins(report)
    for entry in fields["worst"]:
        del entry["thumbnail"]
    return fields


def read_report(path: Path) -> Report:
    """Reads a ``report.json``, strictly: every field must be there, of its type, and known.

    Raises:
        DataError: it cannot be read, is no accuracy report, or is one of another version; the message names
            the field.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}", "name a report.json") from error
    try:
        header = msgspec.json.decode(content, type=_Header)
        if header.kind != "accuracy" or header.schema is None:
            raise DataError(
                f"{path}: expected an accuracy report, got kind {header.kind!r}, schema {header.schema}",
                "name the report.json that edgekit validate --report writes",
            )
        if header.schema != SCHEMA:
            remedy = "make the report again" if header.schema < SCHEMA else "update edgekit"
            raise DataError(f"{path}: expected schema {SCHEMA}, got {header.schema}", remedy)
        return msgspec.json.decode(content, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: not an accuracy report: {error}", "name a report.json") from error
