"""The camera command with everything that looks at it from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import edgekit.cli.preview_options as module
from edgekit.cli import main
from edgekit.logbook.reader import read_lines
from edgekit.logbook.replay import replay
from tests.cli.test_camera import camera

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "correct-horse-battery"


@pytest.fixture(autouse=True)
def not_under_systemd(monkeypatch):
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", module.TOKEN_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def told(err, what):
    """The address after ``what:`` on stderr, and the token."""
    line = next(line for line in err.splitlines() if line.startswith(f"{what}: http://"))
    address, _, token = line.removeprefix(f"{what}: http://").partition("?token=")
    host, _, path = address.partition("/")
    return host.rpartition(":")[0], int(host.rpartition(":")[2]), f"/{path}", token


def test_nothing_is_made_where_nothing_is_asked(tiny_bundle, capsys, monkeypatch):
    monkeypatch.setattr(module, "_add_figures", lambda *_: pytest.fail("asked for nothing"))
    assert camera(tiny_bundle(), "--unpaced") == 0


def test_all_at_once_ends_and_leaves_no_thread(tiny_bundle, capsys, tmp_path):
    before = set(threading.enumerate())
    ledger, lines = tmp_path / "run.ledger", tmp_path / "m.jsonl"
    looking = ("--preview", "127.0.0.1:0", "--metrics", lines, "--record", ledger)
    assert camera(tiny_bundle(), "--unpaced", "--deadline", "9s", *looking) == 0
    assert set(threading.enumerate()) <= before
    host, port, path, token = told(capsys.readouterr().err, "preview")
    assert (host, path, token) == ("127.0.0.1", "/", "")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), 60)
    found = replay(read_lines(ledger)).as_json()
    assert (found["n"], found["bundle"], found["deadline_ms"], found["ended"]) == (10, "tiny", 9000.0, True)
    assert found["frames"]["read"] == 10
    assert json.loads(lines.read_text().splitlines()[-1])["frames"]["processed"] == 10
    assert main(["bench", "--ledger", str(ledger)]) == 0


def test_a_port_in_use_is_told_before_anything_else(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for option in ("--preview", "--metrics"):
            assert camera(tmp_path / "no-such.edge", option, f"127.0.0.1:{port}") == 3
            assert f"127.0.0.1:{port}: Address already in use" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["8080", ""])  # nothing: a variable of a shell that is not set
@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--preview", "write 127.0.0.1:8080"),
        ("--metrics", "expected an address or FILE.jsonl"),
    ],
)
def test_what_is_no_address(option, says, place, capsys, tmp_path):
    assert camera(tmp_path / "no-such.edge", option, place) == 2
    err = capsys.readouterr().err
    assert f"argument {option}: " in err
    assert says in err


@pytest.mark.parametrize("token", ["short", ""])
def test_a_token_too_short(token, capsys, tmp_path):
    assert camera(tmp_path / "x.edge", "--preview", "127.0.0.1:0", "--preview-token", token) == 2
    assert "expected at least 16" in capsys.readouterr().err


def test_a_failure_closes_what_was_opened(tmp_path, capsys):
    before = set(threading.enumerate())
    ledger = tmp_path / "old.ledger"
    ledger.write_text("precious")
    assert camera(tmp_path / "x.edge", "--preview", "127.0.0.1:0", "--record", ledger) == 2
    assert set(threading.enumerate()) <= before
    assert ledger.read_text() == "precious"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_told_after_the_summary(tiny_bundle, capsys):
    assert camera(tiny_bundle(), "--unpaced", "--json", "--record", "/dev/full") == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["frames"]["processed"] == 10
    assert "/dev/full: not whole: No space left on device" in err


def running(bundle, *arguments, source="synthetic:?fps=50&seconds=60&size=32x24", **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "edgekit", "camera", str(bundle), "--source", source, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


def ask(port, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    found = response.status, response.read(), response.headers
    connection.close()
    return found


def until(process, what):
    """The lines on stderr up to one that begins so."""
    lines = []
    while True:
        lines.append(process.stderr.readline())
        assert lines[-1], "".join(lines)
        if lines[-1].startswith(what):
            return "".join(lines)


def ended(process):
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_metrics_on_the_previews_own_server(tiny_bundle):
    pytest.importorskip("prometheus_client", reason="edgekit[preview] is not installed")
    place = "127.0.0.1:0"
    process = running(tiny_bundle(), "--preview", place, "--metrics", place)
    _, port, _, _ = told(until(process, "preview: "), "preview")
    status, body, headers = ask(port, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert b"edgekit_loop_info{" in body
    assert ask(port, "/")[0] == 200
    assert ask(port, "/", Host="evil.example")[0] == 403
    assert ended(process)[0] == 0


def test_beyond_loopback_a_token_is_printed_and_demanded(tiny_bundle):
    process = running(tiny_bundle(), "--preview", "0.0.0.0:0")
    host, port, _, token = told(until(process, "preview: "), "preview")
    assert host == socket.gethostname()
    assert len(token) >= 22
    assert ask(port, "/")[0] == 401
    status, _, headers = ask(port, f"/?token={token}")
    assert status == 303
    assert ask(port, "/", Cookie=headers["Set-Cookie"].partition(";")[0])[0] == 200
    assert ended(process)[0] == 0


def test_a_token_of_ones_own_by_the_environment(tiny_bundle):
    process = running(tiny_bundle(), "--preview", "127.0.0.1:0", **{module.TOKEN_VARIABLE: TOKEN})
    _, port, _, token = told(until(process, "preview: "), "preview")
    assert token == TOKEN
    assert ask(port, "/preview.js")[0] == 401
    assert ask(port, "/preview.js", Authorization=f"Bearer {TOKEN}")[0] == 200
    assert ended(process)[0] == 0


@pytest.mark.parametrize("abstract", [False, True])
def test_under_systemd(tiny_bundle, tmp_path, abstract):
    name = f"@edgekit-{os.getpid()}-{abstract}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(60)
        process = running(tiny_bundle(), NOTIFY_SOCKET=name, WATCHDOG_USEC="300000")
        messages = []
        while sum("WATCHDOG=1" in message for message in messages) < 3:
            messages.append(manager.recv(4096).decode())
        assert messages[:2] == ["STATUS=Loading tiny", "READY=1"]
        assert all("STATUS=camera live, " in message for message in messages[2:])
        process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in messages:  # read as they come: the system keeps ten for who does not
            messages.append(manager.recv(4096).decode())
        _, err = process.communicate(timeout=60)
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(4096)
        assert process.returncode == 0, err
