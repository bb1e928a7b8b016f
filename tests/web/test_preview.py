from __future__ import annotations

import json
import struct
import threading

import cv2
import numpy as np
import pytest

from edgekit.deadline import FrameCounts
from edgekit.events import AnswerTold
from edgekit.figures import Figures
from edgekit.loop import Loop, LoopOptions
from edgekit.sinks.tee import Tee
from edgekit.types import Frame
from edgekit.web.preview import Preview
from tests.test_loop import FakeTask, ListSource
from tests.web.conftest import HOSTILE, MS, about, frame_done


def parts(record):
    text, picture = struct.unpack(">II", record[:8])
    assert len(record) == 8 + text + picture
    return json.loads(record[8 : 8 + text]), record[8 + text :]


def taken(viewer):
    """What waits for a viewer, by kind."""
    records, viewer._waiting = list(viewer._waiting.values()), {}
    return {parts(record)[0]["kind"]: parts(record) for record in records}


def test_a_step_offers_picture_boxes_and_figures():
    figures = Figures(now_ns=lambda: 5_000 * MS)
    preview = Preview(figures, fps=10)
    viewer = preview.hub.join()
    for index in range(3):
        for observer in (figures, preview):
            observer.frame_done(frame_done(index, 4_000 * MS, missed=index == 2))
    preview.step()
    got = taken(viewer)
    fields, picture = got["frame"]
    assert fields["index"] == 2
    assert fields["size_wh"] == [320, 240]
    assert fields["age_ms"] == 20.0
    assert fields["missed"] is True
    assert fields["variant"] == "int8"
    assert [shape["label"] for shape in fields["overlay"]["shapes"]] == ["person", HOSTILE]
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape == (240, 320, 3)
    assert got["figures"][0]["figures"]["results"] == 3
    assert got["figures"][0]["viewers"] == 1
    assert preview.encoded == 1


def test_the_same_frame_is_encoded_once_and_figures_come_twice_a_second():
    figures = Figures(now_ns=lambda: 0)
    preview = Preview(figures, fps=10)
    preview.frame_done(frame_done(0, 0))
    viewer = preview.hub.join()
    kinds = []
    for _ in range(10):
        preview.step()
        kinds.append(sorted(taken(viewer)))
    assert kinds[0] == ["figures", "frame"]
    assert kinds[1:5] == [[]] * 4
    assert kinds[5] == ["figures"]
    assert preview.encoded == 1


def test_one_encoding_for_all_viewers():
    preview = Preview(Figures())
    viewers = [preview.hub.join() for _ in range(3)]
    preview.frame_done(frame_done(0, 0))
    preview.step()
    assert preview.encoded == 1
    assert len({taken(viewer)["frame"] == taken(viewers[0]).get("frame") for viewer in viewers}) == 1


def test_answers_come_when_more_was_said():
    figures = Figures(now_ns=lambda: 0)
    preview = Preview(figures)
    viewer = preview.hub.join()
    for text in ("A", "A man", "A man walks."):
        for observer in (figures, preview):
            observer.answer_told(AnswerTold(0, 7, 0, "person", "What?", text, text.endswith("."), 300 * MS))
    preview.step()
    answers = taken(viewer)["answers"][0]["answers"]
    assert [(a["text"], a["finished"], a["delay_ms"]) for a in answers] == [("A man walks.", True, 300.0)]
    preview.step()
    assert "answers" not in taken(viewer)


def test_nothing_is_encoded_while_nobody_looks():
    figures = Figures()
    preview = Preview(figures, fps=1000)
    preview.begin(about(), FrameCounts())
    for index in range(100):
        preview.frame_done(frame_done(index, 0))
    preview.close()
    assert preview.encoded == 0


def test_the_end_is_told_and_no_thread_is_left():
    before = set(threading.enumerate())
    preview = Preview(Figures(), fps=100)
    preview.begin(about(), FrameCounts())
    viewer = preview.hub.join()
    preview.close()
    records = [parts(record)[0] for record in viewer.records()]
    assert records[0]["kind"] == "hello"
    assert records[0]["about"]["cannot"] == ["see in the dark", "tell twins apart"]
    assert [r["ended"] for r in records if r["kind"] == "figures"][-1] is True
    assert set(threading.enumerate()) <= before


def test_a_step_under_way_does_not_take_the_end_back(monkeypatch):
    figures, began, told = Figures(), threading.Event(), threading.Event()
    snapshot = figures.snapshot

    def slow_snapshot():
        if threading.current_thread().name == "edgekit-preview" and not began.is_set():
            began.set()
            told.wait(0.3)  # the end is told meanwhile, unless it waits for this step
        return snapshot()

    monkeypatch.setattr(figures, "snapshot", slow_snapshot)
    preview = Preview(figures, fps=100)
    viewer = preview.hub.join()
    preview.begin(about(), FrameCounts())
    assert began.wait(60)
    preview.close()
    told.set()
    ends = [parts(record)[0] for record in viewer.records()]
    assert [r["ended"] for r in ends if r["kind"] == "figures"] == [True]


def test_the_last_frame_and_the_last_words_are_shown_at_the_end(monkeypatch):
    figures = Figures(now_ns=lambda: 0)
    preview = Preview(figures, fps=0.001)
    viewer, steps = preview.hub.join(), threading.Semaphore(0)
    first = preview.step

    def step():
        first()
        steps.release()

    monkeypatch.setattr(preview, "step", step)
    preview.begin(about(), FrameCounts())
    assert steps.acquire(timeout=30)  # the next step would be in 1000 s
    monkeypatch.undo()
    taken(viewer)
    for observer in (figures, preview):
        observer.frame_done(frame_done(7, 0))
        observer.answer_told(AnswerTold(0, 7, 0, "person", "What?", "A man.", True, 300 * MS))
    preview.close()
    told = {fields["kind"]: fields for fields, _ in map(parts, viewer.records())}
    assert told["frame"]["index"] == 7
    assert [answer["finished"] for answer in told["answers"]["answers"]] == [True]
    assert (told["figures"]["ended"], told["figures"]["figures"]["results"]) == (True, 1)


def test_viewers_are_let_go_even_where_the_end_cannot_be_shown(monkeypatch):
    preview = Preview(Figures())
    viewer = preview.hub.join()
    monkeypatch.setattr("edgekit.web.preview.jpeg", lambda _: 1 / 0)
    preview.frame_done(frame_done(0, 0))
    with pytest.raises(ZeroDivisionError):
        preview.close()
    assert list(viewer.records()) == []


def test_a_viewer_too_many_is_told(stage):
    stage.preview.hub.limit = 0
    connection = stage.connect()
    answer = b"".join(iter(lambda: connection.recv(4096), b""))
    connection.close()
    assert b" 503 " in answer.splitlines()[0]
    assert answer.endswith(b"0 viewers are looking already.\n")


def test_one_who_never_reads_does_not_slow_the_loop(stage, tmp_path):
    """500 frames pass while a viewer has asked and reads nothing: all are processed, it holds three records at most."""
    stage.preview._pause_s = 0.0005
    connection = stage.connect()
    while not len(stage.preview.hub):
        threading.Event().wait(0.001)
    (viewer,) = stage.preview.hub._viewers
    encoded_before = stage.preview.encoded
    seen = []

    def hook(n):
        seen.append(len(viewer._waiting))
        for _ in range(2000 if n % 10 == 0 else 0):  # until what was told is shown: far more than is read
            if stage.preview._shown is stage.preview._newest:
                break
            threading.Event().wait(0.001)

    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)  # 200 kB as JPEG
    source = ListSource([Frame(pixels, "bgr") for _ in range(500)])
    loop = Loop(
        source, FakeTask(hook=hook), Tee(), LoopOptions(paced=False), observers=[stage.figures, stage.preview]
    )
    summary = loop.run()
    assert summary.frames.processed == 500
    assert summary.frames.dropped["newer_frame"] == 0
    assert max(seen) <= 4
    assert stage.preview.encoded - encoded_before >= 10
    connection.close()
