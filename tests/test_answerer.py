from __future__ import annotations

import numpy as np
import pytest

from edgekit.answerer import Answerer, Asking, Request
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import DataError
from edgekit.processing.grammar import parse_fields
from edgekit.tasks.question import Question
from edgekit.tasks.registry import load
from edgekit.triggers import Match
from edgekit.types import Frame
from tests.decoder_files import language_bundle
from tests.vision_files import vision_bundle

pytest.importorskip("tokenizers", reason="the extra text")
pytest.importorskip("PIL", reason="the extra pillow")

QUESTION = Question("what?", max_tokens=5, picture=True)
WHERE = Match("person 0.90", "person", np.array([20, 20, 60, 60], np.float32))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = vision_bundle(tmp_path_factory.mktemp("vlm") / "tiny.edge")
    return load(path, options=EngineOptions(threads=1))


@pytest.fixture
def answerer(model):
    model.forget()
    return Answerer(model, Asking(QUESTION))


def never():
    return False


def request(pixels, match=WHERE, **changes):
    return Request(0, Frame(pixels, "bgr"), match, **changes)


def noise(seed=0, size_wh=(80, 80)):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 200, (size_wh[1] // 8, size_wh[0] // 8, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((8, 8, 1), np.uint8))


def ask(answerer, pixels, match=WHERE, **changes):
    answer = answerer.begin(request(pixels, match, **changes), never)
    pieces = list(answer)
    assert "".join(pieces) == answer.generation.text
    return answer


def test_a_new_picture_is_encoded_and_the_answer_is_the_models(answerer, model):
    answer = ask(answerer, noise())
    assert (answer.question, answer.region, answer.reused, answer.difference) == (
        "what?",
        (0, 0, 80, 80),
        None,
        None,
    )
    assert answer.generation.pace.encoded_tiles == 1
    model.forget()
    assert answer.generation.text == QUESTION.ask(model, "", Frame(noise(), "bgr")).text


def test_nearly_the_same_picture_and_question_give_the_same_answer_without_work(answerer, model, monkeypatch):
    first = ask(answerer, noise())
    monkeypatch.setattr(model, "stream", None)
    again = ask(answerer, noise() + 4)
    assert (again.reused, again.difference) == ("answer", pytest.approx(4 / 255))
    assert again.generation is first.generation


def test_what_counts_is_the_picture_that_was_encoded_not_the_one_before(answerer):
    steps = [ask(answerer, noise() + value) for value in (0, 4, 8, 12)]
    assert [step.reused for step in steps] == [None, "answer", None, "answer"]
    assert [step.difference for step in steps][1::2] == [pytest.approx(4 / 255)] * 2


def test_another_question_about_the_picture_reuses_what_was_encoded(model):
    model.forget()
    answerer = Answerer(model, Asking(Question("a {label}?", max_tokens=5, picture=True)))
    first = ask(answerer, noise())
    assert first.question == "a person?"
    other = ask(answerer, noise() + 2, WHERE._replace(label="dog"))
    assert (other.question, other.reused) == ("a dog?", "picture")
    assert other.generation.pace.encoded_tiles == 0
    assert other.generation.pace.reused_tokens > 0
    model.forget()
    expected = Question("a dog?", max_tokens=5, picture=True).ask(model, "", Frame(noise(), "bgr"))
    assert other.generation.text == expected.text


def test_a_crop_shows_what_triggered(model):
    model.forget()
    answerer = Answerer(model, Asking(QUESTION, crop_margin=0.25))
    answer = ask(answerer, noise())
    assert answer.region == (10, 10, 70, 70)
    trembling = WHERE._replace(box=WHERE.box + 2)
    assert ask(answerer, noise(), trembling).reused == "answer"
    moved = ask(answerer, noise(), WHERE._replace(box=WHERE.box + 20))
    assert (moved.region, moved.reused) == ((30, 30, 80, 80), None)
    assert ask(answerer, noise(), Match("scene 1.00")).region == (0, 0, 80, 80)
    model.forget()
    crop = Frame(np.ascontiguousarray(noise()[10:70, 10:70]), "bgr")
    assert answer.generation.text == QUESTION.ask(model, "", crop).text


def test_a_change_outside_of_the_crop_is_none(model):
    answerer = Answerer(model, Asking(QUESTION, crop_margin=0.0))
    ask(answerer, noise())
    pixels = noise()
    pixels[70:] = 255
    assert ask(answerer, pixels).reused == "answer"


def test_frames_of_another_size_are_new(answerer):
    ask(answerer, noise())
    answer = ask(answerer, noise(size_wh=(88, 80)))
    assert (answer.region, answer.reused) == ((0, 0, 88, 80), None)


def test_nothing_is_reused_at_zero(model):
    model.forget()
    answerer = Answerer(model, Asking(QUESTION, reuse_below=0.0))
    assert [ask(answerer, noise()).reused for _ in range(2)] == [None, None]
    answer = ask(answerer, noise())  # of equal pixels the model itself keeps what it knows
    assert answer.generation.pace.encoded_tiles == 0


def test_what_was_cancelled_is_not_reused(answerer):
    answer = answerer.begin(request(noise()), lambda: True)
    assert list(answer) == []
    assert answer.generation.finish == "cancelled"
    again = ask(answerer, noise())
    assert (again.reused, again.generation.pace.encoded_tiles) == (None, 1)
    answerer.forget()
    assert ask(answerer, noise()).reused is None


def test_the_frame_is_left_as_it_is(answerer):
    pixels = noise()
    ask(answerer, pixels)
    assert (pixels == noise()).all()


def test_texts_that_were_read(tmp_path):
    model = load(language_bundle(tmp_path / "tiny.edge"), options=EngineOptions(threads=1))
    question = Question("{text}?", parse_fields("n:integer"), max_tokens=9)
    answerer = Answerer(model, Asking(question))
    assert answerer.reads
    answer = ask(answerer, noise(), text="the hen {label}")
    assert (answer.question, answer.region, answer.reused) == ("the hen {label}?", None, None)
    assert answerer.values(answer.generation).keys() == {"n"}
    assert ask(answerer, noise(1), text="the hen {label}").reused == "answer"
    assert ask(answerer, noise(1), text="a hen").reused is None
    with pytest.raises(DataError, match="the context has room for 128"):
        ask(answerer, noise(), text="h" * 200)
