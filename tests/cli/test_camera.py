from __future__ import annotations

import io
import json
import os
import signal
import time

import cv2
import numpy as np
import pytest

import edgekit.cli.camera as module
from edgekit.camera.protocol import EndOfSource, Lost
from edgekit.cli import main
from edgekit.cli.camera_status import Status, brief
from edgekit.cli.camera_summary import describe
from edgekit.deadline import FrameCounts
from edgekit.events import FrameDone
from edgekit.ledger import Ledger
from edgekit.loop import LoopSummary
from edgekit.sinks.protocol import Outcome
from edgekit.types import Classification, Frame, TextRegions

SOURCE = "synthetic:?fps=50&seconds=0.2&size=32x24"  # ten frames
CLASSES = Classification(np.array([0.25, 0.75], np.float32), ("cat", "dog"))


def camera(bundle, *arguments, source=SOURCE):
    return main(["camera", str(bundle), "--source", source, *map(str, arguments)])


def test_the_summary_has_what_the_design_promises(tiny_bundle, capsys):
    assert camera(tiny_bundle(), "--unpaced", "--json", "--threads", "1") == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert summary["schema"] == 1
    assert summary["frames"] == {
        "read": 10,
        "processed": 10,
        "dropped": {"newer_frame": 0, "stale": 0, "corrupt": 0, "stopped": 0},
    }
    assert list(summary["latency_ms"]) == ["capture", "wait", "pre", "infer", "post", "sink", "total"]
    for quantiles in summary["latency_ms"].values():
        assert list(quantiles) == ["p50", "p95", "p99"]
        assert 0 <= quantiles["p50"] <= quantiles["p95"] <= quantiles["p99"]
    assert summary["variant"] == "int8"
    assert summary["source"] == "synthetic:?fps=50&seconds=0.2&size=32x24&seed=0"
    assert summary["source_fps"] == 50.0
    assert summary["fps"] > 0
    assert summary["threads"] == 1
    assert summary["engine"].startswith("onnxruntime ")
    assert summary["deadline_ms"] is None
    assert summary["verdict"] is None
    assert summary["misses"] == 0
    assert set(summary["misses_by_cause"].values()) == {0}
    assert summary["ended"] == "end_of_source"
    assert summary["notes"] == []
    assert "running, Ctrl-C ends it" in err


def test_a_paced_clip_accounts_for_every_frame(tiny_bundle, capsys):
    assert camera(tiny_bundle(), "--json", "--variant", "fp16") == 0
    summary = json.loads(capsys.readouterr().out)
    counts = summary["frames"]
    assert counts["read"] == 10 == counts["processed"] + sum(counts["dropped"].values())
    assert summary["variant"] == "fp16"


def test_the_engine_alone_is_measured_on_the_same_frames(tiny_bundle, capsys):
    assert camera(tiny_bundle(), "--json", "--unpaced", source="synthetic:?fps=40&seconds=1&size=32x24") == 0
    bare = json.loads(capsys.readouterr().out)["bare_ms"]
    assert list(bare) == ["p50", "p95", "p99", "n"]
    assert bare["n"] == 2  # every 16th of 40 frames
    assert bare["p50"] > 0


class Ailing:
    """A camera that is lost after five pictures; opened again it freezes after five, and once more it ends."""

    description, live, fps, size_wh = "camera 0", True, None, (32, 24)

    def __init__(self, opened=0):
        self.opened, self.reads, self.notes = opened, 0, []

    def read(self):
        time.sleep(0.005)
        self.reads += 1
        if self.reads > 5 and self.opened != 1:
            return EndOfSource() if self.opened else Lost("camera 0: unplugged")
        return Frame(np.full((24, 32, 3), 10 * self.opened + min(self.reads, 5), np.uint8), "bgr")

    def reopen(self):
        return Ailing(self.opened + 1)

    def close(self):
        pass


def test_a_camera_that_fails_is_opened_again_and_accounted_for(tiny_bundle, capsys, monkeypatch):
    monkeypatch.setattr("edgekit.camera.spec.open_source", lambda text: Ailing())
    assert camera(tiny_bundle(), "--json", "--frozen", "150ms") == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    counts, found = summary["frames"], summary["camera"]
    assert summary["ended"] == "end_of_source"
    assert counts["read"] == counts["processed"] + sum(counts["dropped"].values())
    assert counts["read"] >= 20
    assert [outage["cause"] for outage in found["outages"]] == ["lost", "frozen"]
    assert all(outage["over"] for outage in found["outages"])
    assert found["reconnects"] == 2
    assert "camera lost: camera 0: unplugged\n" in err
    assert "camera frozen: the same picture for 0." in err


def test_a_camera_that_stays_away_is_given_up_with_exit_3(tiny_bundle, capsys):
    faulty = "synthetic:?fps=50&seconds=60&size=32x24&unplug=100ms:60s"
    assert camera(tiny_bundle(), "--reopen-for", "200ms", source=faulty) == 3
    out, err = capsys.readouterr()
    assert "camera: 1 outages (1 lost)" in out
    assert "camera lost: synthetic camera: unplugged, as planned (given up after 0.2 s)" in err


def test_a_table_for_people(tiny_bundle, capsys):
    assert camera(tiny_bundle(), "--unpaced", "--frames", 3, "--deadline", "10s") == 0
    out = capsys.readouterr().out
    assert "frames: 3 read, 3 processed, dropped: none" in out
    assert "deadline 10000 ms: PASS, 0 missed" in out
    assert "engine alone" in out


def test_a_deadline_that_does_not_hold_is_exit_1(tiny_bundle, capsys):
    assert camera(tiny_bundle(), "--unpaced", "--json", "--deadline", "1us") == 1
    summary = json.loads(capsys.readouterr().out)
    assert summary["verdict"] == "FAIL"
    assert summary["misses"] == 10 == sum(summary["misses_by_cause"].values())
    assert summary["deadline_ms"] == 0.001


def test_results_and_an_annotated_clip(tiny_bundle, tmp_path, capsys):
    clip, lines = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    assert camera(tiny_bundle(), "--unpaced", "--sink", clip, "--results", lines, "--json") == 0
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [record["index"] for record in records] == list(range(10))
    assert all(record["result"]["top"][0]["label"] in ("red", "green", "blue") for record in records)
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 10
    assert capture.get(cv2.CAP_PROP_FPS) == 50
    capture.release()
    assert not list(tmp_path.glob("*.partial*"))


def test_a_folder_of_annotated_frames(tiny_bundle, tmp_path, capsys):
    assert camera(tiny_bundle(), "--unpaced", "--sink", tmp_path / "frames") == 0
    assert len(list((tmp_path / "frames").glob("frame_*.jpg"))) == 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_the_summary(tiny_bundle, tmp_path, capsys, monkeypatch, number):
    class Interrupting(Status):
        shown = 0

        def frame_done(self, event):
            self.shown += 1
            if self.shown == 3:
                os.kill(os.getpid(), number)

    monkeypatch.setattr("edgekit.cli.camera_status.Status", Interrupting)
    before = signal.getsignal(number)
    lines = tmp_path / "out.jsonl"
    endless = "synthetic:?seconds=inf&size=32x24"
    assert camera(tiny_bundle(), "--unpaced", "--json", "--results", lines, source=endless) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["ended"] == "interrupted"
    counts = summary["frames"]
    assert counts["processed"] == 3 == len(lines.read_text().splitlines())
    assert counts["read"] == 3 + counts["dropped"]["stopped"]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ("source", "code", "kind", "message"),
    [
        ("97", 3, "environment", "camera 97: cannot be opened"),
        ("pi:0", 3, "environment", "picamera2 cannot be imported"),
        ("rtsp://127.0.0.1:9/x", 3, "environment", "no stream answers"),
        ("none.mp4", 2, "data", "no such file or folder"),
        ("synthetic:?fps=x", 2, "usage", "fps=x"),
        ("ftp://cam", 2, "usage", "no scheme 'ftp'"),
    ],
)
def test_sources_that_cannot_be(tiny_bundle, capsys, source, code, kind, message):
    assert camera(tiny_bundle(), "--json", source=source) == code
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert error["kind"] == kind
    assert message in error["message"]
    assert len(err.splitlines()) == 1


def test_a_clip_without_a_decodable_frame(tiny_bundle, tmp_path, capsys):
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).write_bytes(b"broken")
    lines = tmp_path / "out.jsonl"
    assert camera(tiny_bundle(), "--unpaced", "--results", lines, source=str(tmp_path)) == 2
    assert "none of 2 pictures can be decoded" in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--sink", "out.avi"), 2, "write OUT.mp4"),
        (("--sink", "none/out.mp4"), 2, "no such folder none"),
        (("--results", "none/out.jsonl"), 2, "no such folder none"),
        (("--frames", "0"), 2, "at least 1"),
        (("--deadline", "100"), 2, "duration"),
        (("--max-age", "0s"), 2, "duration"),
        (("--max-age", "1s", "--unpaced"), 2, "unpaced files drop no frame"),
        (("--variant", "int4"), 2, "no variant 'int4'"),
    ],
)
def test_arguments_that_cannot_be(tiny_bundle, capsys, arguments, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert camera(tiny_bundle(), *arguments) == code
    assert message in capsys.readouterr().err


def test_a_sink_that_fails_to_open_leaves_no_other(tiny_bundle, tmp_path, capsys):
    lines = tmp_path / "out.jsonl"
    assert camera(tiny_bundle(), "--results", lines, "--sink", tmp_path / "none" / "out.mp4") == 2
    assert not list(tmp_path.glob("out*"))


def summary_of(ending, notes=(), **kwargs):
    return LoopSummary(
        "camera 0",
        None,
        "int8",
        "fake",
        2,
        FrameCounts(),
        Ledger(),
        None,
        None,
        {},
        ending,
        list(notes),
        **kwargs,
    )


def test_a_lost_camera_is_exit_3(capsys):
    assert module.exit_code(summary_of("camera_lost", ["camera 0: no frame after 9"])) == 3
    assert "edgekit: camera lost: camera 0: no frame after 9" in capsys.readouterr().err
    assert module.exit_code(summary_of("interrupted")) == 0


def test_the_table_of_a_run_without_frames():
    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    console.print(describe(summary_of("interrupted", ["[bold]note"])))
    text = console.export_text()
    assert "note: [bold]note" in text
    assert "0 read, 0 processed" in text
    assert "–" in text


def done(index):
    made = Outcome(Frame(np.zeros((2, 2, 3), np.uint8), "bgr", index), CLASSES, 4_200_000, "int8")
    return FrameDone(made, {}, missed=False)


def test_progress_in_a_pipe_is_a_line_now_and_then(capsys):
    now = [0.0]
    status = Status("clip.mp4", now_s=lambda: now[0])
    for index in range(25):
        now[0] = index * 1.0
        status.frame_done(done(index))
    status.clear()
    err = capsys.readouterr().err.splitlines()
    assert err == [
        "clip.mp4: running, Ctrl-C ends it",
        "frame 10  4.2 ms  dog 75%",
        "frame 20  4.2 ms  dog 75%",
    ]


def test_progress_on_a_terminal_stays_in_place(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    now = [0.0]
    status = Status("clip.mp4", now_s=lambda: now[0])
    now[0] = 0.3
    status.frame_done(done(7))
    status.clear()
    assert capsys.readouterr().err.endswith("\r\x1b[2Kframe 7  4.2 ms  dog 75%\r\x1b[2K")


def test_brief_words_are_printable():
    regions = TextRegions(np.zeros((2, 4, 2), np.float32), ("SALE\x1b[2J", "50%"), np.ones(2, np.float32))
    assert brief(regions) == "2 lines  SALE [2J | 50%"


def test_a_bundle_of_texts_takes_no_camera(tiny_bundle, capsys, monkeypatch):
    monkeypatch.setattr("edgekit.tasks.encoder.PictureEncoder.kind", "text")
    assert main(["camera", str(tiny_bundle()), "--source", "synthetic:?seconds=1"]) == 2
    assert "takes a text, a camera gives pictures" in capsys.readouterr().err
