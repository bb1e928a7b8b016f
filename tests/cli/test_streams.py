"""What happens to the command line when stdout or stderr is full, closed, gone, or knows no UTF-8."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.cli.output import json_line

FULL = Path("/dev/full")
MISSING = ("run", "missing.edge", "missing.jpg")


def edgekit(*argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, shell="", **env):
    """Runs the command in a process of its own, with buffered streams as a user has them."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | env
    command = [sys.executable, "-m", "edgekit", *argv]
    if shell:
        command = ["sh", "-c", f'exec "$@" {shell}', "sh", *command]
    return subprocess.run(command, stdout=stdout, stderr=stderr, env=environment, timeout=60, check=False)


def gone():
    """The writing end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("argv", [("models",), ("models", "--json"), ("--help",), ("run", "--help")])
def test_a_full_stdout_is_one_line_and_exit_2(argv):
    with FULL.open("wb") as full:
        done = edgekit(*argv, stdout=full)
    err = done.stderr.decode()
    assert done.returncode == 2
    assert err.startswith("edgekit: standard output: No space left on device")
    assert err.count("\n") == 1


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
def test_an_error_keeps_its_line_and_code_where_its_object_cannot_be_written():
    with FULL.open("wb") as full:
        done = edgekit(*MISSING, "--json", stdout=full)
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert b"missing.edge" in done.stderr


@pytest.mark.parametrize("argv", [("models",), ("models", "--json"), ("--help",), ("run", "--help")])
def test_a_reader_that_left_is_no_failure(argv):
    writer = gone()
    done = edgekit(*argv, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_error_keeps_its_code_when_nobody_reads_it():
    writer = gone()
    done = edgekit(*MISSING, "--json", stdout=writer)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert edgekit(*MISSING, stdout=writer, stderr=writer).returncode == 2
    os.close(writer)


@pytest.mark.parametrize(("shell", "code"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0)])
def test_closed_streams(shell, code):
    assert edgekit("models", shell=shell).returncode == code
    assert edgekit("models", "--json", shell=shell).returncode == code
    assert edgekit(*MISSING, "--json", shell=shell).returncode == 2


def test_a_terminal_without_utf8_shows_what_it_can():
    done = edgekit("--help", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"exit codes: 0 holds \\xb7 1 a gate" in done.stdout


def test_json_is_utf8_whatever_the_terminal_speaks():
    done = edgekit("models", "größe", "--json", PYTHONIOENCODING="latin-1")
    assert "größe" in json.loads(done.stdout)["error"]["message"]


def test_names_that_are_no_utf8_are_told_like_any_other():
    done = edgekit("inspect", os.fsdecode(b"gone-\xe9.edge"), "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["message"] == r"gone-\udce9.edge: No such file or directory"
    assert done.stderr.count(b"\n") == 1


def test_json_line_escapes_lone_surrogates_and_keeps_the_rest():
    line = json_line({"a\udcff": ["b\udce9", ("ü",), {"c": None}], "n": float("nan")})
    assert json.loads(line) == {r"a\udcff": [r"b\udce9", ["ü"], {"c": None}], "n": None}
