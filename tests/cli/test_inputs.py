import io
import os
from pathlib import Path

import pytest

from edgekit.cli.inputs import STDIN, inputs_of
from edgekit.errors import DataError, UsageError


def told(*arguments):
    return [(given.name, given.content) for given in inputs_of("text", *arguments)]


def test_one_text_a_line_in_the_order_they_were_named(tmp_path, monkeypatch):
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfone\r\n\r\n  two \r\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("10.txt", "9.txt", "x.md"):
        (folder / name).write_text(name)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\nvier\n")))
    assert told([tmp_path / "b.txt", folder, STDIN], ["five"]) == [
        (f"{tmp_path}/b.txt:1", "one"),
        (f"{tmp_path}/b.txt:3", "two"),
        (f"{folder}/9.txt:1", "9.txt"),
        (f"{folder}/10.txt:1", "10.txt"),
        ("-:2", "vier"),
        ("text 1", "five"),
    ]


@pytest.mark.parametrize(
    ("content", "message", "remedy"),
    [
        (b"good\n\xff\xd8", "line 2 is no UTF-8: this bundle takes texts", "give it one text a line"),
        (b"", "expected a text a line, got none", "write one text a line into it"),
        (b" \n\n", "expected a text a line, got none", "write one text a line into it"),
    ],
)
def test_files_that_hold_no_text(tmp_path, content, message, remedy):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        told([tmp_path / "a.txt"], [])
    assert caught.value.remedy == remedy


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    for path in (tmp_path / "pipe.txt", Path("/dev/zero")):
        with pytest.raises(DataError, match="got a pipe or a device"):
            told([path], [])


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="no text in this folder"):
        told([tmp_path], [])
    with pytest.raises(DataError, match="cannot be read: No such file"):
        told([tmp_path / "gone.txt"], [])
    with pytest.raises(UsageError, match="got nothing"):
        told([], [])


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_standard_input_without_text(monkeypatch, content):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(DataError, match="standard input: expected a text a line, got none"):
        told([STDIN], [])


@pytest.mark.parametrize("kind", ["picture", "text", "sound"])
def test_a_closed_standard_input(monkeypatch, kind):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="standard input: closed"):
        list(inputs_of(kind, [STDIN], []))
