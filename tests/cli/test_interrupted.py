"""A run that is killed goes on where it stopped, and its report is the same file."""

import random
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

FILES = ("report.json", "report.html", "report.md", "report.junit.xml")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(400):
        pixels = np.random.default_rng(i).integers(0, 120, (12, 12, 3), np.uint8)
        pixels[:, :, i % 3] += 30
        cv2.imwrite(str(folder / f"{i}.png"), pixels)
    return folder


def command(*args):
    return [sys.executable, "-m", "edgekit", "validate", *map(str, args)]


def kill_when(args, condition, moment_s):
    """Starts a run, waits until it has begun to measure and a moment longer, and kills it; False if it was done."""
    process = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not condition():
        time.sleep(0.001)
    time.sleep(moment_s)
    done = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return not done


def test_report(tiny_bundle, photos, tmp_path):
    candidate, reference = tiny_bundle("c", scales=(0.02, 0.1)), tiny_bundle("r")
    args = (
        candidate,
        "--against",
        reference,
        "--data",
        photos,
        "--max-drop",
        "10%",
        "--robustness",
        "noise",
        "--looks",
        2,
    )
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert subprocess.run(command(*args, "--report", whole), capture_output=True).returncode in (0, 1)
    journal, rng, kills = broken / "unfinished.jsonl", random.Random(3), 0
    for _ in range(4):
        size = journal.stat().st_size if journal.exists() else 0
        kills += kill_when(
            command(*args, "--report", broken),
            lambda size=size: journal.exists() and journal.stat().st_size > size + 20_000,
            rng.uniform(0, 0.02),
        )
    assert kills >= 2
    last = subprocess.run(command(*args, "--report", broken), capture_output=True, text=True)
    assert "going on from" in last.stderr
    assert not journal.exists()
    for name in FILES:
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name
    assert sorted(path.name for path in broken.iterdir()) == sorted(FILES)


def test_recording(tiny_bundle, photos, tmp_path):
    bundle = tiny_bundle("r")
    whole, broken = tmp_path / "whole.predictions", tmp_path / "broken.predictions"
    subprocess.run(command(bundle, "--data", photos, "--record", whole), check=True, capture_output=True)
    part = tmp_path / "broken.predictions.part"
    args = command(bundle, "--data", photos, "--record", broken)
    assert kill_when(args, lambda: part.exists() and part.stat().st_size > 20_000, 0.01)
    assert not broken.exists()
    last = subprocess.run(args, check=True, capture_output=True, text=True)
    assert "going on from" in last.stderr

    def without_times(path):
        return [line.split(b'"ms"')[0] for line in path.read_bytes().split(b"\n")[:-2]]

    assert without_times(broken) == without_times(whole)
