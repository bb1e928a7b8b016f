"""A run that is killed goes on where it stopped, and its report is the same file."""

import signal
import subprocess
import sys

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


DIES = """
import os, signal, sys
from edgekit.cli import main
from edgekit.predictions.lines import GrowingFile

left, append = int(sys.argv[1]), GrowingFile.append

def append_or_die(file, line):
    global left
    left -= 1
    if left < 0:
        append(file, line[: len(line) // 2])
        file._file.truncate(file._file.tell() - 1)
        os.kill(os.getpid(), signal.SIGKILL)
    append(file, line)

GrowingFile.append = append_or_die
sys.exit(main(sys.argv[2:]))
"""


def command(*args):
    return [sys.executable, "-m", "edgekit", "validate", *map(str, args)]


def killed(lines, *args):
    """A run that is killed in the middle of a line, when it has written so many; what it said."""
    script = [sys.executable, "-c", DIES, str(lines), "validate", *map(str, args)]
    done = subprocess.run(script, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stderr


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
    journal = broken / "unfinished.jsonl"
    for lines, goes_on in (
        (0, False),
        (1, False),
        (130, False),
        (77, True),
    ):  # the first of a file is its head
        size = journal.stat().st_size if journal.exists() else 0
        told = killed(lines, *args, "--report", broken)
        assert ("going on from" in told) == goes_on
        assert journal.stat().st_size > size
        assert not journal.read_bytes().endswith(b"\n")
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
    args = (bundle, "--data", photos, "--record", broken)
    killed(150, *args)
    assert part.read_bytes().count(b"\n") == 150
    assert not broken.exists()
    last = subprocess.run(command(*args), check=True, capture_output=True, text=True)
    assert "going on from" in last.stderr

    def without_times(path):
        return [line.split(b'"ms"')[0] for line in path.read_bytes().split(b"\n")[:-2]]

    assert without_times(broken) == without_times(whole)
