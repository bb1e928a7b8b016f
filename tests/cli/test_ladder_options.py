from __future__ import annotations

import json
import os
import signal
import weakref
from functools import partial

import pytest
from msgspec.structs import replace

import edgekit.ladder
import edgekit.tasks.registry
import edgekit.thermal
from edgekit.bundle.manifest import Drop
from edgekit.cli import main
from edgekit.cli.camera_status import Status
from tests.test_thermal import zone

S = 1_000_000_000
ENDLESS = "synthetic:?fps=250&seconds=inf&size=32x24"


def with_drops(manifest, members):
    drops = {"int8": Drop("top1", 2.0, (1.5, 2.5), 0.95, 1000, "source"), "fp16": None}
    return replace(manifest, variants=tuple(replace(v, drop=drops[v.name]) for v in manifest.variants))


def camera(bundle, *arguments, source="synthetic:?fps=50&seconds=0.2&size=32x24"):
    return main(["camera", str(bundle), "--source", source, *map(str, arguments)])


@pytest.fixture
def quick(monkeypatch):
    """A ladder that waits for hundredths of seconds, not for seconds."""
    hasty = partial(
        edgekit.ladder.LadderSettings,
        settle_ns=S // 50,
        heat_settle_ns=S // 20,
        climb_ns=S // 10,
        headroom=0.0,
    )
    monkeypatch.setattr("edgekit.ladder.LadderSettings", hasty)
    monkeypatch.setattr("edgekit.thermal.HeatWatch", partial(edgekit.thermal.HeatWatch, interval_s=0.005))


class Weather(Status):
    """Sets the temperature by what has happened, and ends the run after all of it."""

    def __init__(self, description, folder):
        super().__init__(description)
        self.folder, self.changes, self.since = folder, [], 0

    def set(self, celsius):
        whole = self.folder / "temp.partial"  # the thermometer never reads half of it
        whole.write_text(f"{celsius * 1000}\n")
        whole.replace(self.folder / "temp")

    def variant_changed(self, event):
        super().variant_changed(event)
        self.changes.append((event.before, event.after, event.why))
        self.since = 0

    def frame_done(self, event):
        self.since += 1
        if not self.changes:
            self.set(79 if self.since > 20 else 50)
        elif len(self.changes) == 1:  # the cheaper variant cools it: into the band at once, below it later
            self.set(72 if self.since < 100 else 60)
        elif self.since == 20:
            os.kill(os.getpid(), signal.SIGINT)


def test_heat_and_cold_through_the_command_line(tiny_bundle, tmp_path, monkeypatch, capsys, quick):
    folder = zone(tmp_path / "sys", 0, "cpu-thermal", 50, critical=110)
    seen = []

    def weather(description):
        seen.append(Weather(description, folder))
        return seen[0]

    monkeypatch.setattr("edgekit.cli.camera_status.Status", weather)
    lines = tmp_path / "out.jsonl"
    ladder = ("--ladder", "fp16,int8", "--thermal-root", tmp_path / "sys", "--deadline", "10s")
    bundle = tiny_bundle(change=with_drops)
    assert camera(bundle, *ladder, "--frames", 20_000, "--results", lines, "--json", source=ENDLESS) == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert [(s["from"], s["to"]) for s in summary["ladder"]["steps"]] == [("fp16", "int8"), ("int8", "fp16")]
    assert summary["ladder"]["steps_made"] == 2
    assert [rung["variant"] for rung in summary["ladder"]["rungs"]] == ["fp16", "int8"]
    assert sum(rung["frames"] for rung in summary["ladder"]["rungs"]) == summary["frames"]["processed"]
    assert all(rung["seconds"] > 0 for rung in summary["ladder"]["rungs"])
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {(r["variant"], r["drop"] and r["drop"]["value"]) for r in records} == {
        ("fp16", None),
        ("int8", 2.0),
    }
    cooled = [r["variant"] for r in records].index("int8") + 100
    assert records[cooled - 1]["variant"] == "int8"  # in the band nothing happens
    assert records[-1]["variant"] == "fp16" == summary["variant"]
    assert "variant fp16 -> int8: hot: 79 °C of 80; drop 2.00 top1 (95%: 1.50 to 2.50)" in err
    assert "variant int8 -> fp16: calm for 0 s, " in err
    assert "accuracy drop unknown" in err
    assert "ladder: fp16 " in err


def test_a_variant_that_is_left_does_not_stay_in_memory(tiny_bundle, tmp_path, monkeypatch, capsys, quick):
    folder = zone(tmp_path / "sys", 0, "cpu-thermal", 79, critical=110)
    loaded, alive = [], []
    real = edgekit.tasks.registry.make_task

    def make_task(*args, **kwargs):
        task = real(*args, **kwargs)
        loaded.append(weakref.ref(task))
        return task

    class Counting(Weather):
        def frame_done(self, event):
            if self.changes:
                self.since += 1
                alive.append([task().variant for task in loaded if task() is not None])
            if self.since == 20:
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("edgekit.tasks.registry.make_task", make_task)
    monkeypatch.setattr("edgekit.cli.camera_status.Status", lambda description: Counting(description, folder))
    ladder = ("--ladder", "fp16,int8", "--thermal-root", tmp_path / "sys", "--deadline", "10s")
    assert camera(tiny_bundle(), *ladder, "--frames", 20_000, source=ENDLESS) == 0
    assert len(loaded) == 4  # each timed, the first one, the next one
    assert alive[-1] == ["int8"]


def test_a_ladder_for_people(tiny_bundle, capsys, quick):
    assert (
        camera(tiny_bundle(change=with_drops), "--ladder", "fp16,int8", "--deadline", "10s", "--unpaced") == 0
    )
    out, err = capsys.readouterr()
    assert "ladder: fp16 10 frames in " in out
    assert "drop unknown; int8 0 frames in 0.0 s, drop 2.00 top1; steps: 0" in out
    assert "this machine tells no temperature" in err or "°C" not in out


def test_without_a_ladder_the_drop_is_told_all_the_same(tiny_bundle, tmp_path, capsys):
    assert camera(tiny_bundle(change=with_drops), "--unpaced", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["drop"]["value"] == 2.0
    assert summary["ladder"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--ladder", "int8", "--deadline", "1s"), 2, "two variants or more"),
        (("--ladder", "int8,int4", "--deadline", "1s"), 2, "no variant 'int4'"),
        (
            ("--ladder", "fp16,int8", "--variant", "int8", "--deadline", "1s"),
            2,
            "--variant with a named ladder",
        ),
        (("--thermal-root", "none"), 2, "--thermal-root: nothing would read it"),
        (("--ladder", "fp16,int8", "--thermal-root", "none"), 3, "none tells no temperature and no clock"),
        (("--ladder", "auto", "--variant", "int4", "--deadline", "1s"), 2, "no variant 'int4'"),
    ],
)
def test_ladders_that_cannot_be(tiny_bundle, capsys, arguments, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert camera(tiny_bundle(), *arguments) == code
    assert message in capsys.readouterr().err


def test_nothing_would_make_it_step(tiny_bundle, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("edgekit.thermal.SYSTEM", tmp_path)
    assert camera(tiny_bundle(), "--ladder", "fp16,int8") == 3
    assert "give --deadline" in capsys.readouterr().err


def test_a_machine_without_a_thermometer_is_told(tiny_bundle, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("edgekit.thermal.SYSTEM", tmp_path)
    assert camera(tiny_bundle(), "--ladder", "fp16,int8", "--deadline", "10s", "--unpaced") == 0
    assert "steps on late frames only" in capsys.readouterr().err
