from __future__ import annotations

import sys
import threading

import pytest

from edgekit.deadline import FrameCounts
from edgekit.errors import EnvironmentLacks
from edgekit.events import AnswerTold, CameraChanged, VariantChanged
from edgekit.figures import Figures
from edgekit.ladder import Heat
from edgekit.metrics import Histogram, Metrics, resident_bytes
from tests.web.conftest import DROP, MS, about, frame_done

pytest.importorskip("prometheus_client", reason="edgekit[preview] is not installed")


def begun():
    figures = Figures(lambda: Heat(55.0), lambda: 10_000 * MS)
    metrics = Metrics(figures)
    counts = FrameCounts()
    for watcher in (figures, metrics):
        watcher.begin(about(), counts)
    return figures, metrics, counts


def samples(metrics):
    """Parsed by the library's own strict parser: ``{(name, labels): value}``."""
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_what_happened_is_what_is_exported():
    figures, metrics, counts = begun()
    for index, total_ms in enumerate((4.0, 20.0, 20.0, 3000.0)):
        for observer in (figures, metrics):
            observer.frame_done(frame_done(index, 9_900 * MS, total_ms, missed=total_ms > 40))
    counts.read, counts.processed = 6, 4
    counts.dropped["newer_frame"] = 2
    for observer in (figures, metrics):
        observer.camera_changed(CameraChanged("lost", 0, "unplugged"))
        observer.answer_told(AnswerTold(0, 1, 1_000 * MS, "", "q", "half", False, 1_500 * MS))
        observer.answer_told(AnswerTold(0, 1, 1_000 * MS, "", "q", "whole", True, 2_500 * MS))
        observer.answer_told(AnswerTold(3, 4, 0, "", "q", "ha", False, 3_000 * MS))
        observer.answer_told(AnswerTold(3, 4, 0, "", "q", "ha", True, 9_000 * MS, broken_off=True))
        observer.variant_changed(VariantChanged("int8", "small", DROP, 0, "hot"))
    got = samples(metrics)
    assert got["edgekit_frames_read_total", ()] == 6
    assert got["edgekit_results_total", (("variant", "int8"),)] == 4
    assert got["edgekit_frames_dropped_total", (("cause", "newer_frame"),)] == 2
    assert got["edgekit_frames_dropped_total", (("cause", "corrupt"),)] == 0
    total = (("stage", "total"),)
    assert got["edgekit_stage_duration_seconds_count", total] == 4
    assert got["edgekit_stage_duration_seconds_sum", total] == pytest.approx(3.044)
    buckets = {dict(labels)["le"]: value for (name, labels), value in got.items()
               if name == "edgekit_stage_duration_seconds_bucket" and ("stage", "total") in labels}  # fmt: skip
    assert (buckets["0.002"], buckets["0.005"], buckets["0.02"], buckets["2.5"], buckets["+Inf"]) == (
        0,
        1,
        3,
        3,
        4,
    )
    assert got["edgekit_answer_age_seconds_count", ()] == 1
    assert got["edgekit_answer_age_seconds_sum", ()] == 1.5
    assert got["edgekit_questions_total", ()] == 2  # 1 and 2 were replaced while they waited
    assert got["edgekit_camera_changes_total", (("state", "lost"),)] == 1
    assert got["edgekit_camera_state", (("edgekit_camera_state", "lost"),)] == 1
    assert got["edgekit_camera_state", (("edgekit_camera_state", "live"),)] == 0
    assert got["edgekit_variant_changes_total", ()] == 1
    assert got["edgekit_variant_drop_points", ()] == 1.25
    assert got["edgekit_deadline_seconds", ()] == 0.04
    assert got["edgekit_last_frame_age_seconds", ()] == pytest.approx(0.1)
    assert got["edgekit_temperature_celsius", ()] == 55.0
    assert got["edgekit_resident_memory_bytes", ()] > 10**6
    info = next(dict(labels) for (name, labels) in got if name == "edgekit_loop_info")
    assert info == {"bundle": "fake", "task": "detect", "engine": "fake 1.0", "variant": "small"}


def test_before_the_first_frame_every_series_is_there():
    _, metrics, _ = begun()
    got = samples(metrics)
    assert got["edgekit_frames_read_total", ()] == 0
    assert got["edgekit_stage_duration_seconds_count", (("stage", "infer"),)] == 0
    assert ("edgekit_last_frame_age_seconds", ()) not in got


def test_the_number_of_series_does_not_grow_with_the_run():
    _, metrics, _ = begun()
    metrics.frame_done(frame_done(0, 0))
    before = len(samples(metrics))
    for index in range(500):
        metrics.frame_done(frame_done(index, index * MS, 1.0 + index))
        metrics.camera_changed(CameraChanged("lost", index, f"reason {index}"))
        metrics.answer_told(AnswerTold(index, 0, 0, f"why {index}", "q", "a", True, index * MS))
    assert len(samples(metrics)) == before


def test_it_may_be_asked_while_the_loop_runs():
    figures, metrics, _ = begun()
    errors = []

    def ask():
        try:
            for _ in range(20):
                samples(metrics)
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    for index in range(2000):
        for observer in (figures, metrics):
            observer.frame_done(frame_done(index, 0))
    thread.join()
    assert errors == []


def test_the_loop_does_not_wait_while_the_text_is_made():
    _, metrics, _ = begun()
    families = metrics.collect()
    next(families)
    assert not metrics._lock.locked()
    families.close()


def test_bounds_belong_to_their_bucket():
    histogram = Histogram((0.001, 0.01))
    for duration_ns in (0, MS, MS + 1, 10 * MS, 11 * MS, -5):
        histogram.add(duration_ns)
    rows, total = histogram.buckets()
    assert rows == [("0.001", 3), ("0.01", 5), ("+Inf", 6)]
    assert total == pytest.approx(0.023, abs=1e-6)


def test_memory_of_this_process(tmp_path):
    statm = tmp_path / "statm"
    statm.write_text("1000 25 3 1 0 5 0\n")
    assert resident_bytes(statm) in (25 * 4096, 25 * 16384)
    statm.write_text("")
    assert resident_bytes(statm) is None
    assert resident_bytes(tmp_path / "none") is None


def test_without_the_library(monkeypatch):
    monkeypatch.setattr("edgekit.metrics.find_spec", lambda _: None)
    with pytest.raises(EnvironmentLacks, match="prometheus-client, which is not installed") as raised:
        Metrics(Figures())
    assert raised.value.remedy == 'pip install "edgekit[preview]"'
    assert "prometheus_client" in sys.modules
