from __future__ import annotations

from edgekit.deadline import FrameCounts
from edgekit.events import AnswerTold, CameraChanged, VariantChanged
from edgekit.figures import ANSWERS, RECENT, Figures, answer_json
from edgekit.ladder import Heat
from tests.web.conftest import DROP, MS, about, frame_done


class Clock:
    ns = 0

    def __call__(self):
        return self.ns


def begun():
    clock, counts = Clock(), FrameCounts()
    figures = Figures(lambda: Heat(48.5), clock)
    figures.begin(about(), counts)
    return figures, clock, counts


def test_before_the_first_frame():
    figures, _, _ = begun()
    got = figures.snapshot()
    assert got["fps"] is None
    assert got["age_ms"] is None
    assert got["latency_ms"]["total"] is None
    assert got["results"] == got["misses"] == 0
    assert got["camera"] == {"state": "live", "detail": "", "since_ms": None, "changes": {}}
    assert got["variant"]["name"] == "int8"
    assert got["variant"]["drop"] == {
        "metric": "map",
        "value": 1.25,
        "interval": [0.5, 2.0],
        "confidence": 0.95,
    }
    assert got["temperature_c"] == 48.5


def test_rate_quantiles_misses_and_age():
    figures, clock, counts = begun()
    for i in range(21):
        clock.ns = i * 50 * MS
        figures.frame_done(frame_done(i, clock.ns - 10 * MS, 10.0 + i, missed=i == 20))
    counts.read = counts.processed = 21
    clock.ns += 5 * MS
    got = figures.snapshot()
    assert got["fps"] == 20.0
    assert got["latency_ms"]["total"] == {"p50": 20.0, "p95": 29.0, "p99": 29.8}
    assert got["latency_ms"]["infer"]["p50"] == 16.0
    assert got["misses"] == 1
    assert got["misses_by_cause"] == {"late": 1}
    assert got["age_ms"] == 15.0
    assert got["frames"]["processed"] == 21
    assert sum(got["timeline"]["n"]) == 21


def test_rate_forgets_what_is_over():
    figures, clock, _ = begun()
    for i in range(10):
        clock.ns = i * 50 * MS
        figures.frame_done(frame_done(i, clock.ns))
    clock.ns += 6_000 * MS
    assert figures.snapshot()["fps"] is None


def test_memory_is_bounded():
    figures, clock, _ = begun()
    for i in range(3 * RECENT):
        clock.ns = i * 50 * MS
        figures.frame_done(frame_done(i, clock.ns))
    for number in range(3 * ANSWERS):
        figures.answer_told(AnswerTold(number, 0, 0, "", "q", "a", True, 0))
    assert len(figures._recent) == RECENT
    assert len(figures.snapshot()["timeline"]["n"]) <= 120
    assert [a.number for a in figures.answers()] == list(range(3 * ANSWERS - 1, 2 * ANSWERS - 1, -1))


def test_camera_and_variant():
    figures, clock, _ = begun()
    figures.camera_changed(CameraChanged("lost", 0, "no frame for 2 s"))
    clock.ns = 3_000 * MS
    assert figures.snapshot()["camera"] == {
        "state": "lost",
        "detail": "no frame for 2 s",
        "since_ms": 3000,
        "changes": {"lost": 1},
    }
    figures.camera_changed(CameraChanged("live", clock.ns, "reopened"))
    figures.camera_changed(CameraChanged("changed", clock.ns, "640x480"))
    assert figures.snapshot()["camera"]["state"] == "live"
    figures.variant_changed(VariantChanged("int8", "small", None, 0, "late"))
    assert figures.snapshot()["variant"] == {"name": "small", "why": "late", "changes": 1, "drop": None}
    figures.variant_changed(VariantChanged("small", "int8", DROP, 0, "calm"))
    assert figures.snapshot()["variant"]["drop"]["value"] == 1.25


def test_an_answer_carries_the_age_of_its_frame():
    got = answer_json(AnswerTold(3, 7, 1_000 * MS, "person", "Who?", "x" * 9000, False, 1_750 * MS))
    assert got["delay_ms"] == 750.0
    assert got["frame_ms"] == 1000.0
    assert (got["number"], got["frame"], got["finished"]) == (3, 7, False)
    assert len(got["text"]) == 4000


def test_a_frame_from_the_future_is_of_no_age():
    figures, clock, _ = begun()
    figures.frame_done(frame_done(0, 5_000 * MS))
    clock.ns = 1_000 * MS
    assert figures.snapshot()["age_ms"] == 0
