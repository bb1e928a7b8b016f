import io
import json

import cv2
import numpy as np
import pytest

from edgekit.cli import main
from edgekit.cli.inputs import Given
from edgekit.cli.save import Saver
from edgekit.errors import OutputError
from edgekit.types import Detections, Frame, TextRegions


@pytest.fixture
def pictures(tmp_path):
    for folder, name, level in (("in", "b.png", 0), ("in", "a.jpg", 90), ("other", "b.png", 200)):
        (tmp_path / folder).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / folder / name), np.full((60, 80, 3), level, np.uint8))
    return tmp_path


def test_classes_are_drawn_on_copies_of_the_same_names(tiny_bundle, pictures, capsys):
    before = (pictures / "in" / "b.png").read_bytes()
    inputs = [str(pictures / "in"), str(pictures / "other" / "b.png")]
    assert main(["run", str(tiny_bundle()), *inputs, "--save", str(pictures / "out"), "--json"]) == 0
    saved = [json.loads(line)["saved"] for line in capsys.readouterr().out.splitlines()]
    assert saved == [str(pictures / "out" / name) for name in ("a.jpg", "b.png", "b-2.png")]
    drawn = cv2.imread(saved[1])
    assert drawn.shape == (60, 80, 3)
    assert drawn.max() == 255  # white letters on what was black
    assert (pictures / "in" / "b.png").read_bytes() == before
    assert sorted(path.name for path in (pictures / "out").iterdir()) == ["a.jpg", "b-2.png", "b.png"]


@pytest.mark.parametrize("named", ["in", "in/a.jpg", "in/../in/b.png"])
def test_inputs_are_never_replaced(tiny_bundle, pictures, capsys, named):
    before = {path: path.read_bytes() for path in (pictures / "in").iterdir()}
    folder = str(pictures / "in")
    assert main(["run", str(tiny_bundle()), str(pictures / named), "--save", folder]) == 2
    assert "lies there and would be replaced" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (pictures / "in").iterdir()} == before


def test_a_file_in_the_way(tiny_bundle, pictures, capsys):
    (pictures / "out").write_text("")
    arguments = [str(pictures / "in"), "--save", str(pictures / "out")]
    assert main(["run", str(tiny_bundle()), *arguments]) == 2
    assert "out: " in capsys.readouterr().err


def test_standard_input(tiny_bundle, pictures, monkeypatch, capsys):
    stream = io.TextIOWrapper(io.BytesIO((pictures / "in" / "a.jpg").read_bytes()))
    monkeypatch.setattr("sys.stdin", stream)
    assert main(["run", str(tiny_bundle()), "-", "--save", str(pictures / "out")]) == 0
    assert [path.name for path in (pictures / "out").iterdir()] == ["stdin.png"]


def test_boxes_and_unicode_text_are_drawn(tmp_path):
    saver = Saver(tmp_path / "out", [], "picture")
    frame = Frame(np.zeros((240, 320, 3), np.uint8), "rgb")
    box = np.array([[40, 50, 200, 150]], np.float32)
    found = Detections(box, np.array([0.9], np.float32), np.array([0], np.int32), ("cat",))
    drawn = cv2.imread(str(saver.save(Given("a/x.png", frame), found, {})))
    assert drawn[100, 40].tolist() == [80, 200, 60]
    assert drawn[100, 120].tolist() == [0, 0, 0]
    quads = np.array([[[40, 100], [200, 100], [200, 140], [40, 140]]], np.float32)
    inks = []
    for text in ("Größe 数", "GroBe ??"):
        regions = TextRegions(quads, (text,), np.ones(1, np.float32))
        inks.append(cv2.imread(str(saver.save(Given("x.png", frame), regions, {}))))
    assert inks[0][100, 40].tolist() == [80, 200, 60]
    if int(cv2.__version__.split(".")[0]) >= 5:
        assert (inks[0] != inks[1]).any()  # OpenCV 4 writes question marks
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["x-2.png", "x-3.png", "x.png"]


def test_of_texts_the_result_is_written(tmp_path):
    saver = Saver(tmp_path, [], "text")
    printed = {"input": "notes.txt:3", "result": {"text": "größer"}}
    path = saver.save(Given("deep/notes.txt:3", "so good"), None, printed)
    assert path.name == "notes.txt-3.json"
    assert json.loads(path.read_text(encoding="utf-8")) == printed


def test_a_name_that_is_no_utf8_appears_as_it_does_on_standard_output(tmp_path):
    path = Saver(tmp_path, [], "text").save(Given("caf\udce9", "so good"), None, {"input": "caf\udce9"})
    assert path.name == "caf-.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {"input": "caf\\udce9"}


def test_a_picture_too_large_for_its_format_is_told_and_leaves_no_file(tmp_path):
    saver, frame = Saver(tmp_path, [], "picture"), Frame(np.zeros((1, 65501, 3), np.uint8))
    found = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), ("cat",))
    with pytest.raises(OutputError, match="x.jpg: 65501×1 pixels, more than OpenCV writes as .jpg"):
        saver.save(Given("x.jpg", frame), found, {})
    assert list(tmp_path.iterdir()) == []
    assert cv2.imread(str(saver.save(Given("x.png", frame), found, {}))).shape == (1, 65501, 3)


@pytest.mark.parametrize(("name", "saved"), [("x", "x.png"), ("x.odd", "x.odd.png"), ("X.JPG", "X.JPG")])
def test_a_picture_of_another_ending_becomes_a_png(tmp_path, name, saved):
    saver = Saver(tmp_path, [], "picture")
    found = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), ("cat",))
    path = saver.save(Given(name, Frame(np.zeros((9, 9, 3), np.uint8))), found, {})
    assert path.name == saved
    assert cv2.imread(str(path)).shape == (9, 9, 3)
