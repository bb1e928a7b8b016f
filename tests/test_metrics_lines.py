from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from edgekit.deadline import FrameCounts
from edgekit.errors import OutputError
from edgekit.figures import Figures
from edgekit.metrics_lines import MetricsLines
from tests.web.conftest import MS, about, frame_done


def test_a_line_now_and_one_at_the_end(tmp_path):
    before = set(threading.enumerate())
    figures, counts, path = Figures(now_ns=lambda: 100 * MS), FrameCounts(), tmp_path / "m.jsonl"
    path.write_text('{"of": "another run"}\n')
    lines = MetricsLines(path, figures, every_s=600, unix_s=lambda: 1234.5678)
    figures.begin(about(), counts)
    lines.begin(about(), counts)
    lines.write()
    figures.frame_done(frame_done(0, 90 * MS))
    counts.read = counts.processed = 1
    lines.close()
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert written[0] == {"of": "another run"}
    assert [line["results"] for line in written[1:]] == [0, 1]
    last = written[-1]
    assert (last["schema"], last["unix_s"], last["bundle"]) == (1, 1234.568, "fake")
    assert last["frames"]["processed"] == 1
    assert last["latency_ms"]["total"]["p50"] == 20.0
    assert last["rss_bytes"] > 10**6
    assert "timeline" not in last
    assert set(threading.enumerate()) <= before


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        MetricsLines(tmp_path / "none" / "m.jsonl", Figures())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_told_at_the_end_and_not_before():
    lines = MetricsLines(Path("/dev/full"), Figures(), every_s=600)
    lines.begin(about(), FrameCounts())
    lines.write()
    with pytest.raises(OutputError, match="not whole: No space left on device"):
        lines.close()
