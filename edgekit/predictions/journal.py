"""What a comparison has seen so far, so that an interrupted one goes on and comes to the very same report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgekit.errors import OutputError
from edgekit.evaluation.outcome import Part
from edgekit.predictions.lines import GrowingFile
from edgekit.predictions.prediction import Entry, Key, Prediction, to_entry, to_prediction


class _Row(Part, frozen=True):
    """One sample: what each side made of it, and the noise of each candidate."""

    entries: tuple[Entry, ...]
    noise: tuple[tuple[float, float] | None, ...]


class Journal:
    """Predictions of all sides in the order in which they were made.

    Attributes:
        path: of the file.
        found: samples that an interrupted run left.

    Args:
        path: of the file; its folder exists.
        identity: digest of everything that results follow from; a journal of another one is begun anew.
        labels: of the classes, one tuple a side.
        waits: while another process is at it; else that is an error.

    Raises:
        OutputError: it cannot be written, or another process is at it.
    """

    def __init__(
        self, path: Path, identity: str, labels: Sequence[tuple[str, ...]], *, waits: bool = False
    ) -> None:
        self.path = path
        self._labels = labels
        first = msgspec.json.encode({"kind": "edgekit-journal", "identity": identity})
        self._file = GrowingFile(path, first, waits=waits)
        self._lines = iter(self._file)
        self.found = sum(1 for _ in self._file)

    def next(self, key: Key) -> tuple[list[Prediction], tuple[tuple[float, float] | None, ...]] | None:
        """What was journaled for the next sample; ``None`` when the journal is at its end.

        Raises:
            OutputError: the journal is of another sample: it was tampered with.
        """
        line = next(self._lines, None)
        if line is None:
            return None
        try:
            row = msgspec.json.decode(line, type=_Row)
        except msgspec.MsgspecError as error:
            raise self._foreign(str(error)) from error
        if any((entry.number, entry.condition) != key for entry in row.entries):
            raise self._foreign(f"expected sample {key.number}")
        where = f"{self.path.name}: sample {key.number}"
        pairs = zip(row.entries, self._labels, strict=True)
        return [to_prediction(entry, labels, where) for entry, labels in pairs], row.noise

    def add(
        self,
        key: Key,
        sample_id: str,
        predictions: Sequence[Prediction],
        noise: Sequence[tuple[float, float] | None],
    ) -> None:
        """Appends one sample.

        Raises:
            OutputError: it cannot be written.
        """
        entries = tuple(msgspec.structs.replace(to_entry(key, sample_id, p), raw=None) for p in predictions)
        self._file.append(msgspec.json.encode(_Row(entries, tuple(noise))))

    def close(self) -> None:
        """Leaves the file as it is."""
        self._file.close()

    def remove(self) -> None:
        """Removes the file: the report is written."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _foreign(self, why: str) -> OutputError:
        return OutputError(f"{self.path}: cannot go on from it: {why}", "remove it and run again")
