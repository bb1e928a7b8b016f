"""Writes a predictions file; an interrupted one goes on where it stopped."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from edgekit.bundle.atomic import sync_folder
from edgekit.errors import OutputError
from edgekit.predictions.file import CLOSING, End, Header
from edgekit.predictions.lines import GrowingFile
from edgekit.predictions.prediction import Entry, Key, Prediction, to_entry


class RecordingWriter:
    """Collects predictions in ``PATH.part``, which becomes ``PATH`` when all are there.

    Attributes:
        done: what an interrupted run had already recorded.

    Args:
        path: the file to make.
        header: what the predictions are of; a ``.part`` under another header is begun anew.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, path: Path, header: Header) -> None:
        if path.is_dir() or not path.parent.is_dir():
            raise OutputError(f"{path}: a folder, or in a folder that is not there", "name a file")
        self.path = path
        self._file = GrowingFile(path.with_name(path.name + ".part"), msgspec.json.encode(header), CLOSING)
        self.done = frozenset(self._key(line) for line in self._file)
        self._n = len(self.done)

    def add(self, key: Key, sample_id: str, prediction: Prediction) -> None:
        """Appends one prediction.

        Raises:
            OutputError: it cannot be written.
        """
        self._file.append(msgspec.json.encode(to_entry(key, sample_id, prediction)))
        self._n += 1

    def finish(self) -> Path:
        """Adds the last line and gives the file its name.

        Raises:
            OutputError: it cannot be written.
        """
        part = self._file.path
        try:
            with part.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            self._file.append(msgspec.json.encode(End(self._n, sha256)))
            self._file.sync()
            part.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise OutputError(f"{self.path}: {error.strerror or error}", "check free space") from error
        self._file.close()
        return self.path

    def close(self) -> None:
        """Leaves what was recorded so far in the ``.part`` file."""
        self._file.close()

    @staticmethod
    def _key(line: bytes) -> Key:
        entry = msgspec.json.decode(line, type=Entry)
        return Key(entry.number, entry.condition)
