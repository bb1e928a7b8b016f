"""What takes part in a comparison: a variant of a bundle, loaded, or what one said earlier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec

from edgekit.bundle.manifest import Card, Variant
from edgekit.bundle.reader import Bundle, open_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.evaluation.subject import Subject, subject_of
from edgekit.predictions.file import Recording, is_recording, open_recording
from edgekit.predictions.language import LanguageSide
from edgekit.predictions.question import QuestionSide
from edgekit.predictions.side import RecordedSide, Side, TaskSide
from edgekit.tasks.generate import Generate
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import default_threads, find_variant, make_task
from edgekit.tasks.vision_language import VisionLanguage

_UNKNOWN = "not stated"


@dataclass(frozen=True, slots=True)
class Live:
    """A variant of a bundle, loaded."""

    bundle: Bundle
    variant: Variant
    task: Task

    @property
    def side(self) -> Side:
        """What predicts."""
        if isinstance(self.task, VisionLanguage):
            return QuestionSide(self.task)
        if not isinstance(self.task, Generate):
            return TaskSide(self.task)
        members = {file.path: file.sha256 for file in self.bundle.manifest.files}
        return LanguageSide(self.task, members[self.task.tokenizer])

    @property
    def subject(self) -> Subject:
        """What reports call it."""
        return subject_of(self.bundle, self.variant, self.task)

    @property
    def digest(self) -> str:
        """Everything that its predictions follow from, but the machine."""
        return f"{self.bundle.id} {self.variant.name} {self.task.engine} {self.task.threads}"

    @property
    def card(self) -> Card:
        """What it is for."""
        return self.bundle.card


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a variant said earlier, maybe elsewhere."""

    recording: Recording

    @property
    def side(self) -> Side:
        """What predicts."""
        return RecordedSide(self.recording)

    @property
    def subject(self) -> Subject:
        """What reports call it."""
        recording, stated = self.recording, self.recording.header.subject
        if stated is not None:
            return msgspec.structs.replace(
                stated, recorded=recording.path.name, recorded_on=recording.header.machine
            )
        return Subject(
            bundle=recording.path.stem,
            file=recording.path.name,
            file_bytes=recording.size_bytes,
            id=recording.sha256,
            variant=_UNKNOWN,
            recipe=_UNKNOWN,
            precision=_UNKNOWN,
            bytes=0,
            engine=_UNKNOWN,
            threads=0,
            recorded=recording.path.name,
        )

    @property
    def digest(self) -> str:
        """Everything that its predictions follow from."""
        return self.recording.sha256

    @property
    def card(self) -> Card:
        """What it is for, as far as the recording says."""
        header = self.recording.header
        unknown = Card(
            self.recording.path.name, header.task, _UNKNOWN, (), _UNKNOWN, (), _UNKNOWN, _UNKNOWN, 0
        )
        return header.card or unknown


Contender: TypeAlias = Live | Recorded


def open_contender(path: Path, variant: str | None = None, threads: int | None = None) -> Contender:
    """Opens a bundle and loads a variant of it, or opens recorded predictions.

    Raises:
        BundleError, ModelError, UsageError: the bundle cannot be opened, the variant not loaded.
        DataError: the predictions are damaged or not whole.
    """
    if is_recording(path):
        return Recorded(open_recording(path))
    bundle = open_bundle(path)
    chosen = find_variant(bundle.manifest, variant)
    options = EngineOptions(threads=threads or default_threads())
    task = make_task(bundle.manifest.task, bundle.manifest.name, chosen, bundle.folder(), options=options)
    return Live(bundle, chosen, task)
