from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from edgekit.errors import OutputError
from edgekit.sinks.results import ResultsSink


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_one_line_a_result(tmp_path, outcome):
    sink = ResultsSink(tmp_path / "out.jsonl")
    sink.write(outcome(3, age_ms=4.5678, name="a.png"))
    assert len((tmp_path / "out.partial.jsonl").read_text().splitlines()) == 1  # can be followed
    sink.write(outcome(4))
    sink.commit()
    sink.abort()
    assert names(tmp_path) == ["out.jsonl"]
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    classes = [{"index": 1, "label": "dog", "score": 0.75}, {"index": 0, "label": "cat", "score": 0.25}]
    assert lines[0] == {
        "index": 3,
        "name": "a.png",
        "age_ms": 4.568,
        "variant": "int8",
        "drop": None,
        "result": {"top": classes},
    }
    assert "name" not in lines[1]
    assert lines[1]["index"] == 4


def test_abort_leaves_nothing(tmp_path, outcome):
    sink = ResultsSink(tmp_path / "out.jsonl")
    sink.write(outcome())
    sink.abort()
    assert names(tmp_path) == []


def test_a_pipe_is_written_to_directly(tmp_path, outcome):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    sink = ResultsSink(pipe)
    sink.write(outcome(9))
    sink.commit()
    reader.join(30)
    assert json.loads(received[0])["index"] == 9
    sink.abort()
    assert pipe.is_fifo()


def test_a_pipe_that_nobody_reads_any_more(tmp_path, outcome):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    sink = ResultsSink(pipe)
    os.close(reader)
    with pytest.raises(OutputError, match=r"pipe: Broken pipe \(whoever reads it has left\)"):
        sink.write(outcome(9))
    sink.abort()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk(outcome):
    sink = ResultsSink(Path("/dev/full"))
    with pytest.raises(OutputError, match="/dev/full: No space left on device"):
        sink.write(outcome())
    sink.abort()


def test_a_file_that_cannot_be_opened(tmp_path):
    (tmp_path / "out.partial.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"out\.jsonl: Is a directory"):
        ResultsSink(tmp_path / "out.jsonl")
