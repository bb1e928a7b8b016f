from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from edgekit.cli import main
from edgekit.cli.ledger_options import curve
from edgekit.logbook.lines import CameraLine, CountsLine, EndLine, encode
from edgekit.logbook.reader import read_lines
from edgekit.logbook.replay import replay
from tests.logbook.test_logbook import HEAD, MS, frame

COUNTS = CountsLine(0, 25, 20, {"newer_frame": 5, "corrupt": 0})


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "run.ledger"
    lines = [
        HEAD,
        *(frame(i, 10 if i < 19 else 60) for i in range(20)),
        CameraLine(500 * MS, "lost", "<b>"),
        COUNTS,
    ]
    path.write_bytes(b"".join(encode(line) for line in [*lines, EndLine(1)]))
    return path


def test_a_recorded_run_is_told(ledger, capsys):
    assert main(["bench", "--ledger", str(ledger)]) == 0
    out = capsys.readouterr().out
    assert "20 results · 19.0 a second · 1 later than 40 ms · int8, fake 1.0, threads: 2 · a board" in out
    assert "frames: 25 read, dropped: 5 newer frame" in out
    assert "0.5 s  camera lost" in out
    assert "slowest frames, up to 60.0 ms, over 1.0" in out


def test_json(ledger, capsys):
    assert main(["bench", "--ledger", str(ledger), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["n"], found["misses"]) == (1, 20, 1)


@pytest.mark.parametrize(("deadline", "code", "misses"), [("9ms", 1, 20), ("50ms", 0, 1), ("60ms", 0, 0)])
def test_another_deadline_is_a_gate(ledger, capsys, deadline, code, misses):
    assert main(["bench", "--ledger", str(ledger), "--deadline", deadline, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["misses"] == misses


def test_a_picture_that_stands_alone(ledger, tmp_path, capsys):
    out = tmp_path / "run.svg"
    assert main(["bench", "--ledger", str(ledger), "--plot", str(out)]) == 0
    root = ElementTree.fromstring(out.read_text())
    name = {"svg": "http://www.w3.org/2000/svg"}
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(root.findall(".//svg:rect[@class='infer']", name)) >= 20
    assert "camera lost" in [text.text for text in root.findall(".//svg:text", name)]
    assert "deadline 40 ms" in [text.text for text in root.findall(".//svg:text", name)]


def test_a_page_without_scripts(ledger, tmp_path, capsys):
    out = tmp_path / "run.html"
    assert main(["bench", "--ledger", str(ledger), "--plot", str(out)]) == 0
    page = out.read_text()
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "<td>10.00</td>" in page


def test_hostile_names_stay_text(tmp_path, capsys):
    path, out = tmp_path / "x.ledger", tmp_path / "x.html"
    head = encode(HEAD).replace(b"synthetic:", b"</style><script>alert(1)</script>")
    path.write_bytes(head + encode(frame(0, 10)))
    assert main(["bench", "--ledger", str(path), "--plot", str(out)]) == 0
    assert "<script" not in out.read_text()
    assert "&lt;script&gt;" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected BUNDLE or --ledger FILE, got neither"),
        (["x.edge", "--ledger", "y"], "got both"),
        (["x.edge", "--plot", "y.svg"], "--deadline and --plot belong to --ledger"),
        (["--ledger", "none.ledger"], "none.ledger: No such file"),
        (["--ledger", "none.ledger", "--plot", "x.png"], "--plot: got x.png"),
    ],
)
def test_usage(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_nothing_to_draw(tmp_path, capsys):
    path = tmp_path / "x.ledger"
    path.write_bytes(encode(HEAD))
    assert main(["bench", "--ledger", str(path)]) == 0
    assert main(["bench", "--ledger", str(path), "--plot", str(tmp_path / "x.svg")]) == 2
    assert "no results" in capsys.readouterr().err
    assert curve(replay(read_lines(path))) == []
