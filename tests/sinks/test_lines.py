from __future__ import annotations

import errno
import json

import pytest

from edgekit.errors import OutputError
from edgekit.sinks.lines import LinesFile


def test_lines_can_be_read_as_they_come(tmp_path):
    lines = LinesFile(tmp_path / "out.jsonl")
    lines.write({"number": 0, "answer": "ä"})
    assert json.loads((tmp_path / "out.partial.jsonl").read_text()) == {"number": 0, "answer": "ä"}
    lines.write({"number": 1})
    lines.commit()
    assert (tmp_path / "out.jsonl").read_text().splitlines()[1] == '{"number":1}'
    lines.abort()
    assert (tmp_path / "out.jsonl").exists()


def test_what_is_given_up_leaves_nothing(tmp_path):
    lines = LinesFile(tmp_path / "out.jsonl")
    lines.write({})
    lines.abort()
    assert not list(tmp_path.iterdir())


class Short:
    """Takes four bytes at a time, and ``room`` in all."""

    def __init__(self, room):
        self.room, self.data = room, b""

    def write(self, data):
        taken = data[: min(4, self.room - len(self.data))]
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.data += taken
        return len(taken)

    def close(self):
        pass


def test_writes_that_are_cut_short(tmp_path):
    lines = LinesFile(tmp_path / "out.jsonl")
    lines._file.close()
    lines._file = Short(30)
    lines.write({"answer": "seven"})
    assert lines._file.data == b'{"answer":"seven"}\n'
    with pytest.raises(OutputError, match="No space left"):
        lines.write({"answer": "eight"})
