"""Recorder, reader and replay: what goes in comes out, whatever happens to the file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgekit.deadline import FrameCounts
from edgekit.errors import DataError, OutputError
from edgekit.events import AnswerTold, CameraChanged, VariantChanged
from edgekit.logbook.lines import (
    LINE_BYTES,
    AnswerLine,
    CameraLine,
    CountsLine,
    EndLine,
    FrameLine,
    GapLine,
    Head,
    VariantLine,
    decode,
    encode,
    short,
)
from edgekit.logbook.reader import read_lines
from edgekit.logbook.recorder import Recorder
from edgekit.logbook.replay import EVENTS, VARIANTS, replay
from tests.web.conftest import DROP, MS, about, frame_done

HEAD = Head(1, "0.1.0", 1.5e9, "fake", "detect", "int8", "fake 1.0", 2, "a board", "synthetic:", 20.0, 40.0)


def frame(index, total_ms, variant="int8", infer_ms=None):
    """Frames 50 ms apart; ``infer`` takes all but 2 ms."""
    infer_ns = round((total_ms - 2 if infer_ms is None else infer_ms) * MS)
    total_ns = round(total_ms * MS)
    return FrameLine(index, index * 50 * MS, MS, MS, 0, infer_ns, MS, 0, total_ns, total_ms > 40, variant)


def written(path, *lines):
    path.write_bytes(b"".join(encode(line) for line in (HEAD, *lines)))
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.ledger"


def test_a_run_is_recorded_line_by_line(path):
    before = set(threading.enumerate())
    counts = FrameCounts(read=3, processed=2)
    recorder = Recorder(path, now_ns=lambda: 777, unix_s=lambda: 1234.5)
    recorder.begin(about(), counts)
    recorder.frame_done(frame_done(0, 5 * MS, 20.0))
    recorder.frame_done(frame_done(1, 55 * MS, 50.0, missed=True))
    recorder.camera_changed(CameraChanged("lost", 60, "unplugged"))
    recorder.variant_changed(VariantChanged("int8", "small", DROP, 70, "hot"))
    recorder.answer_told(AnswerTold(0, 1, 5, "w", "q", "ha", False, 80))
    recorder.answer_told(AnswerTold(0, 1, 5, "w", "q", "half", True, 90))
    recorder.answer_told(AnswerTold(1, 2, 6, "w", "q", "given", True, 95, broken_off=True))
    counts.drop("newer_frame")
    recorder.close()
    head, *lines = list(read_lines(path))
    assert (head.bundle, head.variant, head.deadline_ms, head.started_unix_s) == (
        "fake",
        "int8",
        40.0,
        1234.5,
    )
    assert lines == [
        FrameLine(0, 5 * MS, 6 * MS, 400_000, 2 * MS, 16 * MS, 1_200_000, 400_000, 20 * MS, False, "int8"),
        FrameLine(1, 55 * MS, 15 * MS, MS, 5 * MS, 40 * MS, 3 * MS, MS, 50 * MS, True, "int8"),
        CameraLine(60, "lost", "unplugged"),
        VariantLine(70, "int8", "small", 1.25, "hot"),
        AnswerLine(90, 0, 1, 5, 4),
        CountsLine(777, 3, 2, {"newer_frame": 1, "stale": 0, "corrupt": 0, "stopped": 0}),
        EndLine(777),
    ]
    assert set(threading.enumerate()) <= before


def test_an_older_file_stays_until_the_run_begins(path):
    path.write_text("precious")
    recorder = Recorder(path)
    assert path.read_text() == "precious"
    recorder.begin(about(), FrameCounts())
    recorder.close()
    assert "precious" not in path.read_text()
    unused = Recorder(path)
    unused.close()
    assert list(read_lines(path))


def test_a_queue_that_is_full_leaves_a_gap_that_is_told(path):
    recorder = Recorder(path, queue=5)
    recorder._thread = threading.Thread(target=lambda: None)  # a disk that takes nothing meanwhile
    recorder.begin(about(), FrameCounts())
    for index in range(12):
        recorder.frame_done(frame_done(index, 0))
    recorder.write_waiting()
    recorder.frame_done(frame_done(12, 0))
    recorder.close()
    kinds = [type(line) for line in read_lines(path)]
    assert kinds == [Head, *[FrameLine] * 5, GapLine, CountsLine, FrameLine, CountsLine, EndLine]
    assert replay(read_lines(path)).missing == 7


def test_places_that_cannot_be_written(tmp_path):
    for target in (tmp_path, tmp_path / "none" / "x"):
        with pytest.raises(OutputError, match="Is a directory|No such file"):
            Recorder(target)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_stops_the_record_and_not_the_loop():
    recorder = Recorder(Path("/dev/full"))
    recorder.begin(about(), FrameCounts())
    for index in range(10):
        recorder.frame_done(frame_done(index, 0))
        recorder.write_waiting()
    with pytest.raises(OutputError, match="not whole: No space left on device"):
        recorder.close()


KILLED = """
import sys, time
from pathlib import Path
from edgekit.deadline import FrameCounts
from edgekit.logbook.recorder import Recorder
from tests.web.conftest import about, frame_done
recorder = Recorder(Path(sys.argv[1]))
recorder.begin(about(), FrameCounts())
for index in range(300):
    recorder.frame_done(frame_done(index, index))
recorder.write_waiting()
print("written", flush=True)
while True:
    recorder.frame_done(frame_done(index, index))
    time.sleep(0.0001)
"""


def test_a_process_that_is_killed_leaves_whole_lines(path):
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    process.stdout.close()
    found = replay(read_lines(path))
    assert found.rate.count >= 300
    assert not found.ended


def test_texts_are_cut_and_encodable(path):
    recorder = Recorder(path)
    recorder.begin(about(source="\udce9" * 5000, bundle="b" * 5000), FrameCounts())
    recorder.camera_changed(CameraChanged("lost", 0, "d" * 5000))
    recorder.close()
    assert all(len(line) < LINE_BYTES for line in path.read_bytes().splitlines())
    assert next(read_lines(path)).source.startswith("\\udce9")
    assert short("ok") == "ok"


def test_replay_counts_as_the_loop_does(path):
    times = [10.0] * 18 + [50.0, 60.0]
    counts = CountsLine(0, 25, 20, {"newer_frame": 5})
    written(path, *(frame(i, ms) for i, ms in enumerate(times)), counts, EndLine(5))
    found = replay(read_lines(path)).as_json()
    assert found["n"] == 20
    assert found["fps"] == pytest.approx(19 / (0.95 + 0.05), abs=0.001)
    assert found["span_s"] == 1.0
    assert found["latency_ms"]["total"] == {"p50": 10.0, "p95": 50.5, "p99": 58.1}
    assert found["latency_ms"]["infer"]["p50"] == 8.0
    assert (found["deadline_ms"], found["misses"], found["verdict"]) == (40.0, 2, "FAIL")
    assert found["misses_by_cause"]["slow_inference"] == 2
    assert found["frames"] == {"read": 25, "processed": 20, "dropped": {"newer_frame": 5}}
    assert found["ended"] is True
    other = replay(read_lines(path), 55 * MS)
    assert (other.deadline.misses, other.verdict) == (1, "PASS")
    assert replay(read_lines(path), 9 * MS).deadline.misses == 20


def test_replay_tells_variants_events_and_answers(path):
    written(
        path,
        frame(0, 10),
        CameraLine(20 * MS, "lost", ""),
        VariantLine(110 * MS, "int8", "small", None, "hot"),
        frame(4, 5, "small"),
        AnswerLine(900 * MS, 0, 0, 100 * MS, 12),
    )
    found = replay(read_lines(path)).as_json()
    assert found["variants"]["int8"]["n"] == found["variants"]["small"]["n"] == 1
    assert found["variants"]["small"]["p50"] == 5.0
    assert found["events"] == [{"at_s": 0.01, "what": "camera lost"}, {"at_s": 0.1, "what": "variant small"}]
    assert found["answers"] == {"p50": 800.0, "p95": 800.0, "p99": 800.0, "n": 1}
    assert found["ended"] is False


def test_replay_of_nothing(path):
    found = replay(read_lines(written(path))).as_json()
    assert (found["n"], found["fps"], found["verdict"]) == (0, None, "INCONCLUSIVE")


def test_memory_of_a_replay_is_bounded(path):
    lines = [frame(i, 10, f"v{i}") for i in range(3 * VARIANTS)]
    lines += [CameraLine(i, "lost", "") for i in range(EVENTS + 50)]
    found = replay(read_lines(written(path, *lines)))
    assert len(found.by_variant) == VARIANTS + 1
    assert found.by_variant["others"].count == 2 * VARIANTS
    assert (len(found.events), found.more_events) == (EVENTS, 50)
    assert len(found.timeline.steps) <= 240


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n", "line 1: "),
        (b"frame", "line 1: not whole"),
        (b"\x00\xff\n", "line 1: "),
        (b'["frame",1]\n', "line 1: "),
        (encode(EndLine(1)), "line 1: expected what ran"),
        (encode(HEAD) * 2, "line 2: a second head"),
        (encode(HEAD) + b'["frame",0,0,0,0,0,0,0,0,0,false]\n', "line 2: Expected `array` of at least length 12"),
        (encode(HEAD) + b'["frame",0,0,0,0,0,0,0,0,1.5,false,"v"]\n', "line 2: Expected `int`, got `float`"),
        (encode(HEAD) + b'["frame",-1,0,0,0,0,0,0,0,0,false,"v"]\n', "line 2: Expected `int` >= 0"),
        (encode(HEAD) + b'["frame",0,' + b"9" * 400 + b',0,0,0,0,0,0,0,false,"v"]\n', "line 2: "),
        (encode(HEAD) + encode(EndLine(1)) + b'["shell","rm"]\n', "line 3: Invalid value 'shell'"),
        (encode(HEAD) + b'["camera",0,"exploded",""]\n', "line 2: Invalid enum value 'exploded'"),
        (encode(HEAD) + b"[" * 9000 + b"\n", "line 2: "),
        (encode(HEAD) + b" " * 2 * LINE_BYTES + b"\n", f"line 2: longer than {LINE_BYTES} bytes"),
        (encode(HEAD).replace(b'["head",1', b'["head",2'), "line 1: Expected `int` <= 1"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_its_line(path, content, message):
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as raised:
        replay(read_lines(path))
    assert str(path) in raised.value.message


def test_a_last_line_that_a_power_cut_left_is_left_out(path):
    whole = encode(HEAD) + encode(frame(0, 10))
    path.write_bytes(whole + encode(frame(1, 10))[:-9])
    assert replay(read_lines(path)).rate.count == 1


def test_no_file(tmp_path):
    for name in ("none", "."):
        with pytest.raises(DataError, match="No such file|Is a directory"):
            list(read_lines(tmp_path / name))


BASE = b"".join(
    encode(line)
    for line in (
        HEAD,
        frame(0, 10),
        CountsLine(0, 1, 1, {"x": 0}),
        CameraLine(0, "lost", ""),
        frame(1, 9),
        EndLine(9),
    )
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_refused_or_read_and_never_more(path, data):
    damaged = bytearray(BASE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        piece = data.draw(
            st.one_of(st.binary(max_size=6), st.sampled_from([b"9" * 30, b"-1", b"1e999", b"null", b"\n"]))
        )
        damaged[at : at + data.draw(st.integers(0, 3))] = piece
    path.write_bytes(bytes(damaged))
    try:
        found = replay(read_lines(path))
    except DataError:
        return
    json.dumps(found.as_json())


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62), st.booleans(), st.text(max_size=50))
def test_lines_come_back_as_they_were(arrived_ns, total_ns, missed, variant):
    line = FrameLine(0, arrived_ns, 0, 0, 0, 0, 0, 0, total_ns, missed, short(variant))
    assert decode(encode(line)[:-1]) == line


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62)), max_size=8))
def test_absurd_times_are_counted(path, times):
    lines = [FrameLine(i, at, 0, 0, 0, 0, 0, 0, total, False, "v") for i, (at, total) in enumerate(times)]
    found = replay(read_lines(written(path, *lines)))
    assert json.loads(json.dumps(found.as_json()))["n"] == len(times)
