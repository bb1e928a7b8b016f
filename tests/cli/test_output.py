import argparse
import json

from edgekit.cli import output


def test_emit_json_has_the_schema_and_is_one_line(capsys):
    output.emit(argparse.Namespace(json=True), {"a": 1.5}, "text")
    out = capsys.readouterr().out
    assert json.loads(out) == {"schema": 1, "a": 1.5}
    assert out.count("\n") == 1


def test_emit_text(capsys):
    output.emit(argparse.Namespace(json=False), {"a": 1}, "text for people")
    assert capsys.readouterr().out == "text for people\n"


def test_progress_in_a_pipe_is_plain_lines_with_the_time_left(monkeypatch, capsys):
    clock = iter([0.0, 1.0, 20.0, 40.0])
    monkeypatch.setattr(output.time, "monotonic", lambda: next(clock))
    with output.progress("work", 4) as advance:
        advance()
        advance()
    assert capsys.readouterr().err.splitlines() == [
        "work …",
        "work: 2 of 4, 20 s left",
        "work: done in 40.0 s",
    ]


def test_progress_on_a_terminal_is_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(output.sys.stderr, "isatty", lambda: True, raising=False)
    with output.progress("work", 2) as advance:
        advance()
        advance(n=1)
    assert "work" in capsys.readouterr().err
