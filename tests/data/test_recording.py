from __future__ import annotations

import json

import numpy as np
import pytest

from edgekit.cli.inputs import inputs_of
from edgekit.data.dataset import open_data
from edgekit.errors import DataError, UsageError
from edgekit.processing.wav import write_wav
from edgekit.types import Sound


@pytest.fixture
def folder(tmp_path):
    for i in (10, 2, 1):
        (tmp_path / f"{i}.wav").write_bytes(write_wav(Sound(np.full(i, 0.5, np.float32), 8000)))
    (tmp_path / "notes.txt").write_text("no sound")
    return tmp_path


@pytest.mark.parametrize("task", ["activity", "transcribe"])
def test_a_folder_of_recordings(folder, task):
    data = open_data([str(folder)], task)
    assert [sample.load().samples.size for sample in data] == [1, 2, 10]
    assert data.truth == "none"
    assert len({sample.cluster for sample in data}) == 3
    assert len(open_data([str(folder / "2.wav")], task)) == 1


def test_a_table_of_recordings_and_what_is_said(folder):
    rows = [{"sound": "1.wav", "text": "one", "group": "a"}, {"sound": "2.wav", "text": "two"}]
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = open_data([str(folder / "t.jsonl")], "transcribe")
    assert [(sample.id, sample.truth, sample.group) for sample in data] == [
        ("1.wav", "one", "a"),
        ("2.wav", "two", ""),
    ]
    (folder / "t.csv").write_text("sound,text\n1.wav,one\n")
    assert [sample.truth for sample in open_data([str(folder / "t.csv")], "transcribe")] == ["one"]


def test_what_is_no_recording(folder, tmp_path):
    (folder / "t.csv").write_text("image,text\n1.wav,one\n")
    with pytest.raises(DataError, match="no 'sound'"):
        open_data([str(folder / "t.csv")], "transcribe")
    (folder / "3.wav").touch()
    with pytest.raises(DataError, match="the file is empty"):
        open_data([str(folder)], "activity")
    with pytest.raises(UsageError):
        open_data([f"{folder}?crops=2"], "activity")
    with pytest.raises(DataError, match="no data for the task 'classify'"):
        open_data([str(folder / "1.wav")], "classify")


def test_inputs_of_the_command_line(folder):
    found = list(inputs_of("sound", [folder], ()))
    assert [given.name.rpartition("/")[2] for given in found] == ["1.wav", "2.wav", "10.wav"]
    with pytest.raises(DataError, match="no sound in this folder"):
        inputs_of("sound", [folder.parent], ())


def test_a_truth_where_none_is_known(folder):
    (folder / "t.csv").write_text("sound,label\n1.wav,speech\n")
    with pytest.raises(DataError, match=r"has 'label', this task needs no truth \(leave the column out\)"):
        open_data([str(folder / "t.csv")], "activity")
