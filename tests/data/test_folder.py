import numpy as np
import pytest

from edgekit.data.dataset import open_data
from edgekit.errors import DataError, UsageError

LABELS = ("cat", "dog")


def test_flat_in_order_without_labels(tmp_path, draw):
    for name in ("10.png", "2.png", "b.jpg"):
        draw(tmp_path / name, seed=len(name))
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.png").write_text("x")
    data = open_data([str(tmp_path)], "classify", LABELS)
    samples = list(data)
    assert [s.id.split("/")[1] for s in samples] == ["2.png", "10.png", "b.jpg"]
    assert data.truth == "none"
    assert len(data) == 3
    assert all(s.truth is None and s.frame.size_wh == (64, 48) for s in samples)


def test_folders_are_labels(tmp_path, draw):
    draw(tmp_path / "dog" / "1.png", 1)
    draw(tmp_path / "cat" / "1.png", 2)
    draw(tmp_path / "cat" / "2.png", 3)
    data = open_data([str(tmp_path)], "classify", LABELS)
    assert [(s.id, s.truth) for s in data] == [("cat/1.png", 0), ("cat/2.png", 0), ("dog/1.png", 1)]
    assert data.truth == "label"


def test_unknown_label(tmp_path, draw):
    draw(tmp_path / "cta" / "1.png")
    with pytest.raises(DataError, match=r"does not know the label 'cta' .*nearest: 'cat'"):
        open_data([str(tmp_path)], "classify", LABELS)


def test_crops_share_their_cluster(tmp_path, draw):
    draw(tmp_path / "a.png", 1, (640, 480))
    draw(tmp_path / "b.png", 2, (640, 480))
    samples = list(open_data([f"{tmp_path}?crops=3&seed=5"], "classify", LABELS))
    assert [s.id[-7:] for s in samples] == ["a.png#0", "a.png#1", "a.png#2", "b.png#0", "b.png#1", "b.png#2"]
    assert len({s.cluster for s in samples}) == 2
    assert samples[0].frame.size_wh == (640, 480) != samples[1].frame.size_wh
    again = list(open_data([f"{tmp_path}?crops=3&seed=5"], "classify", LABELS))
    other = list(open_data([f"{tmp_path}?crops=3&seed=6"], "classify", LABELS))
    assert all(np.array_equal(x.frame.pixels, y.frame.pixels) for x, y in zip(samples, again, strict=True))
    assert samples[1].frame.size_wh != other[1].frame.size_wh


def test_single_picture(tmp_path, draw):
    data = open_data([str(draw(tmp_path / "a.png"))], "ocr")
    assert [s.id for s in data] == ["a.png"]


def test_missing_and_empty(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        open_data([str(tmp_path / "x")], "classify", LABELS)
    with pytest.raises(DataError, match=r"no picture in it \(endings: \.avi"):
        open_data([str(tmp_path)], "classify", LABELS)


def test_unreadable_folder(tmp_path, draw, monkeypatch):
    from pathlib import Path

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        open_data([str(tmp_path)], "classify", LABELS)


def test_mixed(tmp_path, draw):
    draw(tmp_path / "1.png")
    draw(tmp_path / "cat" / "1.png")
    with pytest.raises(DataError, match="pictures beside folders of pictures"):
        open_data([str(tmp_path)], "classify", LABELS)


def test_folders_where_the_task_has_no_labels(tmp_path, draw):
    draw(tmp_path / "val" / "1.png")
    with pytest.raises(DataError, match="only folders in it"):
        open_data([str(tmp_path)], "ocr")


def test_unknown_option(tmp_path, draw):
    draw(tmp_path / "1.png")
    with pytest.raises(UsageError, match="no option 'crop'"):
        open_data([f"{tmp_path}?crop=3"], "classify", LABELS)
