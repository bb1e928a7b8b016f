import os
from dataclasses import dataclass, replace

import pytest

from edgekit.data import provided
from edgekit.data.dataset import Dataset, open_data, refuse_overlap
from edgekit.data.sample import Sample
from edgekit.errors import DataError, EnvironmentLacks, UsageError
from edgekit.types import Frame


@dataclass
class Made:
    """A source of ``count`` samples that counts how often it was decoded."""

    id: str
    count: int = 1
    truth: str = "none"
    recipe: str = ""
    decoded: int = 0

    @property
    def sha256(self):
        return f"{self.id:0>64}"

    def samples(self):
        import numpy as np

        for i in range(self.count):
            self.decoded += 1
            yield Sample(f"{self.id}{i}", self.sha256, lambda: Frame(np.zeros((2, 2, 3), np.uint8)))


def made(*counts):
    return Dataset(("made",), tuple(Made(chr(97 + i), n) for i, n in enumerate(counts)))


def ids(data):
    return [s.id for s in data]


def test_order_and_length():
    data = made(2, 1, 3)
    assert ids(data) == ["a0", "a1", "b0", "c0", "c1", "c2"]
    assert len(data) == 6


def test_limited_is_drawn_evenly_and_again_the_same():
    data = made(*[5] * 40)
    some = data.limited(30, seed=1)
    assert len(some) == len(ids(some)) == 30
    assert ids(some) == ids(data.limited(30, seed=1)) == sorted(ids(some), key=ids(data).index)
    assert ids(some) != ids(data.limited(30, seed=2))
    assert len({i[0] for i in ids(some)}) > 15
    assert data.limited(200) is data
    assert set(ids(some.limited(10))) < set(ids(some))


def test_limited_decodes_no_more_than_it_must():
    data = Dataset((), (Made("a", 3), Made("b", 3), Made("c", 3)), frozenset({1, 6}))
    assert ids(data) == ["a1", "c0"]
    assert [s.decoded for s in data.sources] == [2, 0, 1]


def test_numbers_run_over_all_sources():
    data = made(2, 1, 3)
    assert [(n, s.id) for n, s in data.numbered()] == list(enumerate(ids(data)))
    some = replace(data, picked=frozenset({5, 1, 2}))
    assert [(n, s.id) for n, s in some.numbered()] == [(1, "a1"), (2, "b0"), (5, "c2")]


def test_at_gives_the_wanted_ones_in_rising_order():
    data = made(2, 1, 3)
    assert [(n, s.id) for n, s in data.at([4, 0, 4])] == [(0, "a0"), (4, "c1")]
    assert [s.decoded for s in data.sources] == [1, 0, 2]
    assert list(data.at([])) == []


@pytest.mark.parametrize("number", [-1, 6, 0])
def test_at_refuses_what_is_not_there(number):
    data = replace(made(2, 1, 3), picked=frozenset({1, 2}))
    with pytest.raises(DataError, match=rf"no sample has the number {number} \(there are 2\)"):
        data.at([number, 1])


def test_source_that_gives_less_than_it_says():
    data = made(2, 1)
    data.sources[0].samples = lambda: iter(())
    with pytest.raises(DataError, match="a: expected 2 samples, got fewer"):
        list(data)


def test_groups_are_named_by_specification(tmp_path, draw):
    for name in ("a/val", "b/val", "c/test"):
        draw(tmp_path / name / "1.png", len(name))

    def groups(*specs):
        return [s.group for s in open_data([f"{tmp_path}/{spec}" for spec in specs], "classify")]

    assert groups("a/val") == [""]
    assert groups("a/val", "c/test/") == ["val", "test"]
    assert groups("a/val?crops=2", "b/val") == ["val?crops=2"] * 2 + ["val"]
    assert groups("a/val", "b/val") == [f"{tmp_path}/a/val", f"{tmp_path}/b/val"]


def test_groups_of_rows_come_first_and_do_not_enter_the_digest(tmp_path, draw):
    draw(tmp_path / "1.png", 1)
    draw(tmp_path / "2.png", 2)
    table = tmp_path / "t.csv"
    table.write_text("image,group\n1.png,night\n2.png,\n")
    data = open_data([str(table), str(tmp_path / "1.png")], "classify")
    assert [s.group for s in data] == ["night", "t.csv", "1.png"]
    assert [s.group for s in data.limited(2, seed=3)] == ["t.csv", "1.png"]
    grouped = open_data([str(table)], "classify").sha256
    table.write_text("image\n1.png\n2.png\n")
    assert open_data([str(table)], "classify").sha256 == grouped


def test_digest_follows_content_recipe_and_choice(tmp_path, draw):
    draw(tmp_path / "x" / "1.png", 1, (640, 480))
    draw(tmp_path / "y" / "renamed.png", 1, (640, 480))
    draw(tmp_path / "z" / "1.png", 2, (640, 480))

    def digest(spec):
        return open_data([str(tmp_path / spec)], "classify").sha256

    assert digest("x") == digest("y")
    assert len({digest(s) for s in ("x", "z", "x?crops=2", "x?crops=2&seed=1", "x?crops=3")}) == 5
    assert made(9).sha256 != made(9).limited(3).sha256


def test_digest_follows_truth(tmp_path, draw):
    draw(tmp_path / "a" / "cat" / "1.png")
    draw(tmp_path / "b" / "dog" / "1.png")
    one, two = (open_data([str(tmp_path / f)], "classify", ("cat", "dog")) for f in "ab")
    assert one.sha256 != two.sha256
    assert one.digests == two.digests


def test_overlap():
    refuse_overlap({"a", "b"}, {"c"})
    with pytest.raises(DataError, match=r"share 2 of 3 pictures, clips or texts \(SHA-256 b"):
        refuse_overlap(["a", "b", "c"], ["c", "b", "d"])


def test_several_specs(tmp_path, draw):
    draw(tmp_path / "x" / "1.png", 1)
    draw(tmp_path / "y" / "1.png", 2)
    data = open_data([str(tmp_path / "x"), str(tmp_path / "y")], "classify")
    assert ids(data) == ["x/1.png", "y/1.png"]
    assert data.specs == (str(tmp_path / "x"), str(tmp_path / "y"))


def test_usage(tmp_path):
    with pytest.raises(UsageError, match="got nothing"):
        open_data([], "classify")
    with pytest.raises(UsageError, match="no data for the task 'chat'"):
        open_data(["x"], "chat")
    (tmp_path / "a.xyz").write_text("")
    with pytest.raises(DataError, match="cannot tell what data"):
        open_data([str(tmp_path / "a.xyz")], "classify")


def test_tasks_and_their_data(tmp_path, draw):
    path = str(draw(tmp_path / "1.png"))
    for task in ("classify", "ocr", "detect", "vision_language", "embed"):
        assert open_data([path], task).truth == "none"
    with pytest.raises(DataError, match=r"no data for the task 'transcribe' \(it is measured on sounds\)"):
        open_data([path], "transcribe")
    with pytest.raises(DataError, match=r"no data for the task 'generate' \(it is measured on texts\)"):
        open_data([path], "generate")


def test_folders_are_classes_of_embeddings_too(tmp_path, draw):
    for name in ("x/1.png", "x/2.png", "y/1.png"):
        draw(tmp_path / name, len(name))
    data = open_data([str(tmp_path)], "embed")
    assert [s.truth for s in data] == [0, 0, 1]
    with pytest.raises(DataError, match="only folders in it"):
        open_data([str(tmp_path)], "detect", ("x", "y"))


def test_a_name_that_no_file_can_have():
    with pytest.raises(DataError, match="File name too long"):
        open_data(["x" * 5000], "classify")
    with pytest.raises(DataError, match="no such file"):
        open_data(["a\0b"], "classify")


class Entry:
    def __init__(self, sources):
        self.sources = sources

    def load(self):
        return lambda spec, need: self.sources


def test_provided(monkeypatch):
    sources = [Made("a", 2, "text")]
    monkeypatch.setattr(
        provided, "entry_points", lambda group, name: [Entry(sources)] if name == "rendered" else []
    )
    data = open_data(["rendered:lines?n=2"], "ocr")
    assert len(data) == 2
    assert data.truth == "text"
    with pytest.raises(DataError, match="a: comes with a text, this task needs a label"):
        open_data(["rendered:lines?n=2"], "classify")
    with pytest.raises(DataError, match="a: comes with a text, this task needs no truth"):
        open_data(["rendered:lines?n=2"], "generate")
    with pytest.raises(UsageError, match="nobody provides 'other'"):
        open_data(["other:lines"], "ocr")


def test_provider_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(provided, "entry_points", lambda group, name: [])
    with pytest.raises(EnvironmentLacks, match=r"needs edgekit-export.*\(pip install edgekit-export\)"):
        open_data(["rendered:lines?n=2"], "ocr")


def test_real_photos_and_clips(test_data):
    photos, clip = test_data / "coco" / "val2017", test_data / "videos" / "bottle-detection.mp4"
    data = open_data([f"{photos}?crops=2", f"{clip}?frames=5"], "classify")
    assert len(data) == 2 * 79 + 5
    assert len(list(data.limited(12))) == 12
    assert not data.digests & open_data([str(test_data / "coco" / "train2017")], "classify").digests


@pytest.mark.parametrize("name", ["pipe.jpg", "pipe.mp4", "pipe.jsonl", "pipe.csv"])
def test_pipes_are_refused_instead_of_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="expected a file or a folder, got a pipe or a device"):
        open_data([str(tmp_path / name)], "classify")
