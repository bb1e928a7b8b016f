from __future__ import annotations

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


def test_a_line_that_does_not_fit(tmp_path, monkeypatch):
    lines = LinesFile(tmp_path / "out.jsonl")

    class Short:
        def write(self, data):
            return len(data) - 1

        def close(self):
            pass

    lines._file.close()
    lines._file = Short()
    with pytest.raises(OutputError, match="No space left"):
        lines.write({})
