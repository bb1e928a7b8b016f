import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgekit.cli import main
from edgekit.cli.inputs import Given
from edgekit.cli.run import _row, describe
from edgekit.types import Embedding, Generation
from tests.tflite_files import channel_means


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, bgr in (("b.png", (0, 0, 200)), ("a.jpg", (200, 0, 0))):
        cv2.imwrite(str(folder / name), np.full((20, 30, 3), bgr, np.uint8))
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_one_json_object_a_picture_in_order_of_names(tiny_bundle, pictures, capsys):
    assert main(["run", str(tiny_bundle()), str(pictures), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["input"].rsplit("/", 1)[1], line["result"]["top"][0]["label"]) for line in lines] == [
        ("a.jpg", "blue"),
        ("b.png", "red"),
    ]
    assert {(line["task"], line["variant"]) for line in lines} == {("classify", "int8")}
    assert all(line["latency_ms"] > 0 for line in lines)


def test_a_person_gets_labels_with_their_scores(tiny_bundle, pictures, capsys):
    assert main(["run", str(tiny_bundle()), str(pictures / "b.png"), "--variant", "fp16"]) == 0
    out = capsys.readouterr().out
    assert "fp16" in out
    assert "100.0%  red" in out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.jpg", "no such file or folder"),
        ("notes.txt", "notes.txt: not a picture that can be read, or a damaged one (expected JPEG, PNG"),
        ("empty", "no picture in this folder"),
    ],
)
def test_what_cannot_be_read(tiny_bundle, pictures, capsys, name, message):
    (pictures / "empty").mkdir()
    assert main(["run", str(tiny_bundle()), str(pictures / name)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "choices"), [("--variant", "int4", "int8, fp16"), ("--engine", "x", "onnxruntime")]
)
def test_unknown_choices_are_listed(tiny_bundle, pictures, capsys, option, value, choices):
    assert main(["run", str(tiny_bundle()), str(pictures), option, value]) == 2
    assert choices in capsys.readouterr().err


def test_an_empty_name_is_not_the_current_folder(tiny_bundle, pictures, capsys, monkeypatch):
    monkeypatch.chdir(pictures)
    assert main(["run", str(tiny_bundle()), ""]) == 2
    assert "INPUT: path: expected a file or folder, got nothing" in capsys.readouterr().err


def test_square_brackets_of_a_name_are_no_markup(tiny_bundle, pictures, capsys):
    (pictures / "a.jpg").rename(pictures / "[bold]a.jpg")
    assert main(["run", str(tiny_bundle()), str(pictures / "[bold]a.jpg")]) == 0
    assert "/[bold]a.jpg · int8" in capsys.readouterr().out


def test_a_bare_tflite_file_is_described_with_the_way_to_a_bundle(pictures, tmp_path, capsys):
    path = tmp_path / "my model.tflite"
    path.write_bytes(channel_means("int8", batch=-1))
    assert main(["run", str(path), str(pictures), "--json"]) == 2
    said = capsys.readouterr()
    error = json.loads(said.out)["error"]
    assert error["kind"] == "usage"
    assert (
        "a bare tflite model, not a bundle: it takes 'image' float32 ?×8×8×3 and gives 'scores'"
        in error["message"]
    )
    assert f"edgekit export '{path}' -o 'my model.edge' --task TASK" in error["remedy"]
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.onnx", b"anything", "m.onnx: a bare onnx model, not a bundle; nothing in it says"),
        ("M.TFLITE", b"no flatbuffer", "M.TFLITE: bytes 4 to 8 are b'latb', expected b'TFL3'"),
        ("m.bin", b"\x18\0\0\0TFL3", "m.bin: byte 24: 4 bytes, the file has 8"),
        ("m.edge", b"PK\x03\x04", "m.edge: "),
        ("gone.tflite", None, "gone.tflite: No such file"),
    ],
)
def test_other_files_in_place_of_a_bundle(pictures, tmp_path, capsys, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["run", str(tmp_path / name), str(pictures)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_a_tflite_file_that_ends_its_interpreter_leaves_us_alive(test_data, pictures, capsys):
    path = test_data / "breakers" / "keyword_scrambled_8bit.tflite"
    assert main(["run", str(path), str(pictures)]) == 2
    err = capsys.readouterr().err
    assert "keyword_scrambled_8bit.tflite: ends the process with SIG" in err
    assert err.count("\n") == 1


def test_a_table_has_one_row_a_picture(tiny_bundle, pictures, capsys):
    assert main(["run", str(tiny_bundle()), str(pictures), "--table"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [(row.split()[0].rsplit("/", 1)[1], row.split()[-1]) for row in rows] == [
        ("a.jpg", "blue"),
        ("b.png", "red"),
    ]


def test_a_picture_from_standard_input(tiny_bundle, pictures, capsys, monkeypatch):
    data = (pictures / "b.png").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert main(["run", str(tiny_bundle()), "-", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["input"], told["result"]["top"][0]["label"]) == ("-", "red")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((), "expected an INPUT, got nothing"), (("--text", "so good"), "this bundle takes no texts")],
)
def test_what_a_picture_bundle_is_not_given(tiny_bundle, capsys, arguments, message):
    assert main(["run", str(tiny_bundle()), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_text_in_a_table_stays_in_its_cell(capsys):
    result = Embedding(np.zeros(3, np.float32))
    long = Given("notes.txt:1", "so\n\x1b[31m" + "a" * 60)
    assert _row(long, result, 1.0) == f"so  [31m{'a' * 31}…       1.0 ms  a vector of 3 values"
    assert _row(Given("n" * 50, Path("x")), result, 1.0).startswith("n" * 50 + " ")


def test_results_send_no_escape_sequences():
    assert describe(Generation("a\x1b]0;title\x07b\nc")) == "  a ]0;title b\n  c"
