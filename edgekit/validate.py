"""From two bundles, or what they said, and data to an accuracy-drop report; and from one bundle to a recording."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from edgekit.data.dataset import Dataset, refuse_overlap
from edgekit.diagnosis.declared import declared
from edgekit.diagnosis.diagnose import diagnose
from edgekit.diagnosis.graph import text_member
from edgekit.errors import UsageError
from edgekit.evaluate import compare, content_of
from edgekit.evaluation.options import Options
from edgekit.evaluation.origin import GraphOrigin
from edgekit.evaluation.outcome import Data, Finding, GoldenCheck
from edgekit.evaluation.worst import illustrate
from edgekit.layers import feeds_of, layer_origins
from edgekit.machine import this_machine
from edgekit.predictions.contender import Contender, Live, Recorded
from edgekit.predictions.file import Header
from edgekit.predictions.journal import Journal
from edgekit.predictions.prediction import Key
from edgekit.predictions.side import check_recorded
from edgekit.predictions.writer import RecordingWriter
from edgekit.report.accuracy import Report, report_of
from edgekit.report.files import make_folder, write_report
from edgekit.selftest import check

JOURNAL = "unfinished.jsonl"
LAYER_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Validated:
    """A report, its files by kind, and how long samples took.

    Attributes:
        report: what was found.
        paths: of the files, empty where no folder was named.
        times_ms: of reference and candidate, one entry a sample that was timed; apart from the report, which
            is the same file whenever it is made again.
    """

    report: Report
    paths: dict[str, Path]
    times_ms: tuple[tuple[float, ...], ...]


def validate(
    candidate: Contender,
    reference: Contender,
    dataset: Dataset,
    options: Options,
    *,
    folder: Path | None = None,
    layers: bool = False,
    say: Callable[[str], None] = lambda line: None,
    advance: Callable[..., Any] = lambda: None,
) -> Validated:
    """Compares, looks for broken stages, and writes the report.

    With a folder, every sample is journaled there as it is measured: if the process is killed, the same call
    goes on from it and comes to the same files.

    Args:
        candidate: what shall be measured.
        reference: the same model in full precision.
        dataset: opened with the labels of the reference.
        options: gate, looks, conditions.
        folder: where the report goes.
        layers: find out which layers the noise comes from; needs two bundles and edgekit-export.
        say: takes a line for a person, such as where the run goes on.
        advance: called after each sample.

    Raises:
        UsageError, DataError, ModelError: see :func:`edgekit.evaluate.compare`.
        DataError: the candidate was calibrated on some of the data.
        OutputError: the report cannot be written.
    """
    _refuse_data(reference, candidate, dataset, options)
    with (
        nullcontext()
        if folder is None
        else closing(_journal(folder, (reference, candidate), dataset, options)) as journal
    ):
        if journal is not None and journal.found:
            say(f"going on from {journal.path}: {journal.found:,} predictions were made before")
        sides = reference.side, (candidate.side,)
        found = compare(*sides, dataset, options, journal=journal, advance=advance)
        worst = found.evaluations[0].worst
        report = report_of(
            structs.replace(
                found.evaluations[0],
                golden=golden_check(candidate) if isinstance(candidate, Live) else None,
                findings=_findings(reference, candidate, dataset),
                worst=worst if folder is None else illustrate(worst, dataset),
            ),
            reference=reference.subject,
            candidate=candidate.subject,
            machine=this_machine(),
            card=candidate.card,
            graphs=_origins(reference, candidate, dataset) if layers else None,
        )
        paths = {} if folder is None else write_report(report, folder)
        if journal is not None:
            journal.remove()
    return Validated(report, paths, found.times_ms)


def _refuse_data(reference: Contender, candidate: Contender, dataset: Dataset, options: Options) -> None:
    """Refuses data that a recording was not made on, or that the candidate was calibrated on."""
    for contender in (reference, candidate):
        if isinstance(contender, Recorded):
            check_recorded(contender.recording, dataset.sha256, options.conditions)
    if isinstance(candidate, Live):
        refuse_overlap(candidate.bundle.manifest.lock.calibration_sources, dataset.digests)


def record(
    contender: Live,
    dataset: Dataset,
    path: Path,
    *,
    conditions: tuple[str, ...] = (),
    say: Callable[[str], None] = lambda line: None,
    advance: Callable[..., Any] = lambda: None,
) -> Path:
    """Writes what a variant says of every sample, for a comparison elsewhere; an interrupted run goes on.

    Args:
        contender: what predicts.
        dataset: what on.
        path: the predictions file to make.
        conditions: to predict under as well.
        say: takes a line for a person.
        advance: called after each sample.

    Raises:
        OutputError: the file cannot be written.
        DataError, ModelError: a sample cannot be decoded, the engine failed.
    """
    side = contender.side
    writer = RecordingWriter(path, header_of(contender, dataset, conditions))
    if writer.done:
        say(f"going on from {path}.part: {len(writer.done):,} predictions were made before")
    try:
        for number, sample in dataset.numbered():
            for condition in ("", *conditions):
                key = Key(number, condition)
                if key not in writer.done:
                    content = partial(content_of, key, sample)
                    writer.add(key, sample.id, side.predict(key, sample.id, content))
            advance()
        return writer.finish()
    finally:
        writer.close()


def header_of(contender: Live, dataset: Dataset, conditions: tuple[str, ...]) -> Header:
    """What a recording of a variant says of itself."""
    return Header(
        task=contender.task.name,
        data=Data(dataset.specs, dataset.sha256, dataset.truth),
        labels=contender.side.labels,
        conditions=conditions,
        subject=contender.subject,
        variant=contender.variant,
        files=_head_files(contender),
        card=contender.card,
        machine=str(this_machine()),
    )


def _head_files(contender: Live) -> dict[str, str]:
    """SHA-256 of the labels and alphabets that the variant's heads name."""
    members = {text_member(model) for model in contender.variant.models.values()}
    return {file.path: file.sha256 for file in contender.bundle.manifest.files if file.path in members}


def golden_check(contender: Live) -> GoldenCheck | None:
    """Runs the golden inputs of the variant; ``None`` where the bundle carries none."""
    bundle, name = contender.bundle, contender.variant.name
    goldens = [golden for golden in bundle.manifest.golden if golden.variant == name]
    outcomes = [check(bundle, golden, contender.task) for golden in goldens]
    failed = [outcome for outcome in outcomes if not outcome.ok]
    if not outcomes:
        return None
    exact = sum(outcome.exact for outcome in outcomes)
    return GoldenCheck(len(outcomes), len(failed), exact, failed[0].problem if failed else "")


def _findings(reference: Contender, candidate: Contender, dataset: Dataset) -> tuple[Finding, ...]:
    """Stages at fault; against a recording, those that are declared otherwise."""
    if not isinstance(candidate, Live):
        return ()
    if isinstance(reference, Live):
        pictures = candidate.task.accepts == "picture"
        return diagnose(reference, candidate, (s.frame for s in dataset)) if pictures else ()
    header = reference.recording.header
    if header.variant is None:
        return ()
    return declared(header.variant, candidate.variant, header.files, _head_files(candidate))


def _origins(reference: Contender, candidate: Contender, dataset: Dataset) -> dict[str, GraphOrigin]:
    """Which layers the noise comes from, on the first samples.

    Raises:
        UsageError: not two bundles, or language models: their graphs carry memory from call to call.
        EnvironmentLacks: edgekit-export is not installed.
    """
    if reference.side.task == "generate":
        raise UsageError("layers: not for language models", "leave --layers out")
    if not isinstance(reference, Live) or not isinstance(candidate, Live):
        raise UsageError("layers: recorded predictions have none", "give two bundles")
    inputs = (sample.content for sample in islice(dataset, LAYER_SAMPLES))
    sides = (reference.bundle, reference.variant), (candidate.bundle, candidate.variant)
    return layer_origins(*sides, feeds_of(reference.task, inputs))


def _journal(
    folder: Path, contenders: tuple[Contender, Contender], dataset: Dataset, options: Options
) -> Journal:
    make_folder(folder)
    sides = [contender.digest for contender in contenders]
    stated = sides, dataset.specs, dataset.sha256, options, this_machine()
    identity = hashlib.sha256(msgspec.json.encode(stated)).hexdigest()
    return Journal(folder / JOURNAL, identity, [contender.side.labels for contender in contenders])
