import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import Card
from edgekit.cli import main
from edgekit.cli.usage import Usage
from edgekit.types import Embedding, Frame, Generation, TextRegions
from tests.bundle.samples import manifest
from tests.decoder_files import language_bundle
from tests.vision_files import vision_bundle

GERMAN = "Was ist die Hauptstadt von Frankreich?"
ENGLISH = "What is the capital of France?"
NOTHING = Embedding(np.ones(2, np.float32))


def usage(languages=("en",), then=None, title="Pets"):
    whole = manifest()
    card = Card(title, "classify", "x", tuple(languages), "any", (), "MIT", "test", 1)
    return Usage(replace(whole, card=card), whole.variants[0], then)


def warnings(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("edgekit: warning: ")]


def read(text):
    return TextRegions(np.zeros((1, 4, 2), np.float32), (text,), np.ones(1, np.float32))


def test_each_kind_is_told_once(capsys):
    one = usage()
    for _ in range(3):
        one.done(GERMAN, NOTHING)
        one.done(Frame(np.zeros((1, 40, 3), np.uint8)), NOTHING)
    assert warnings(capsys) == [
        "edgekit: warning: Pets: the text looks German (4 of 6 words, like was, ist, die), "
        "this model is made for: English",
        "edgekit: warning: Pets: the picture is 40 x 1 pixels (40.0:1): this model sees it squeezed into 2 x 2",
    ]


def test_read_text_is_looked_at_and_what_a_model_answers_is_not(capsys):
    picture = Frame(np.zeros((9, 9, 3), np.uint8))
    usage().done(picture, Generation(GERMAN, (), "end"))
    usage(("mul",)).done(picture, read(GERMAN))
    usage(()).done(picture, Generation(GERMAN))
    assert warnings(capsys) == []
    usage().done(picture, Generation(GERMAN))  # a transcript
    usage(("mul",), then=usage(title="Talker")).done(picture, read(GERMAN))
    first, second = warnings(capsys)
    assert first.startswith("edgekit: warning: Pets: the text looks German")
    assert second.startswith("edgekit: warning: Talker: the text looks German")


@pytest.mark.parametrize("size_wh", [(16, 16), (2, 2), (64, 8)])
def test_run_on_pictures_that_fit_says_nothing(tiny_bundle, tmp_path, capsys, size_wh):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((*size_wh[::-1], 3), np.uint8))
    assert main(["run", str(tiny_bundle()), str(tmp_path / "a.png")]) == 0
    assert capsys.readouterr().err == ""


def test_run_on_a_strip_warns_once(tiny_bundle, tmp_path, capsys):
    for name in ("a.png", "b.jpg"):
        cv2.imwrite(str(tmp_path / name), np.zeros((7, 64, 3), np.uint8))
    assert main(["run", str(tiny_bundle()), str(tmp_path / "a.png"), str(tmp_path / "b.jpg"), "--json"]) == 0
    assert warnings(capsys) == [
        "edgekit: warning: Tiny: the picture is 64 x 7 pixels (9.1:1): this model sees it squeezed into 8 x 8"
    ]


def test_a_camera_is_told_of_its_first_frame_only(tiny_bundle, capsys):
    source = "synthetic:?fps=50&seconds=0.2&size="
    assert main(["camera", str(tiny_bundle()), "--source", source + "640x64", "--unpaced"]) == 0
    assert warnings(capsys) == [
        "edgekit: warning: Tiny: the picture is 640 x 64 pixels (10.0:1): this model sees it squeezed into 8 x 8"
    ]
    assert main(["camera", str(tiny_bundle()), "--source", source + "64x48", "--unpaced"]) == 0
    assert warnings(capsys) == []


def test_chat_tells_before_it_answers(tmp_path, capsys):
    pytest.importorskip("tokenizers", reason="the extra text")
    bundle = str(language_bundle(tmp_path / "tiny.edge"))
    assert main(["chat", bundle, GERMAN, "--max-tokens", "2"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("edgekit: warning: Tiny: the text looks German")
    assert len(told) == 2  # the pace
    assert main(["chat", bundle, ENGLISH, "--max-tokens", "2"]) == 0
    assert warnings(capsys) == []
    assert main(["run", bundle, "--text", GERMAN, "--text", GERMAN, "--max-tokens", "2"]) == 0
    assert len(warnings(capsys)) == 1


def test_a_question_about_a_picture_and_the_picture(tmp_path, capsys):
    pytest.importorskip("tokenizers", reason="the extra text")
    pytest.importorskip("PIL", reason="the extra pillow")
    bundle, strip = str(vision_bundle(tmp_path / "vlm.edge")), str(tmp_path / "a.png")
    cv2.imwrite(strip, np.zeros((4, 40, 3), np.uint8))
    assert main(["chat", bundle, "--image", strip, "Какого цвета это?", "--max-tokens", "2"]) == 0
    text, picture = warnings(capsys)
    assert "40 x 4 pixels (10.0:1)" in picture
    assert "looks Russian (14 of 14 letters are Cyrillic), this model is made for: English" in text
    assert main(["run", bundle, strip, "--prompt", GERMAN, "--max-tokens", "2"]) == 0
    text, picture = warnings(capsys)
    assert "looks German" in text
    assert "(10.0:1)" in picture
