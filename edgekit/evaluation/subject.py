"""One side of a comparison: which file, which variant, what ran it."""

from __future__ import annotations

from edgekit.bundle.manifest import Variant
from edgekit.bundle.reader import Bundle
from edgekit.evaluation.outcome import Part
from edgekit.tasks.protocol import Task


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
        engine: engine and version; of the machine that recorded, where results were recorded.
        threads: inside one operator, likewise.
        recorded: name of the predictions file that results were read from; empty if they were computed.
        recorded_on: the machine that recorded them, likewise.
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
    recorded: str = ""
    recorded_on: str = ""


def subject_of(bundle: Bundle, variant: Variant, task: Task) -> Subject:
    """Describes one side that was computed.

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
