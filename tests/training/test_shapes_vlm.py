"""The shapes model's training: pictures and questions are seeded, batches are what the processor gives."""

import random
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers")
import torch
from PIL import Image

from training.shapes_vlm.batches import IGNORED, Batcher, Sample, pixels_of
from training.shapes_vlm.checkpoint import load
from training.shapes_vlm.measure import Answered, greedy, report
from training.shapes_vlm.pictures import COLORS, KINDS, Shape, any_shape, plain_picture, varied_picture
from training.shapes_vlm.questions import Turn, turns
from training.shapes_vlm.train import cover_by_patch
from training.shapes_vlm.words import VOCABULARY, make_processor

TURNS = [Turn("is there not a circle?", "yes"), Turn("what color is the shape?", "teal")]


@pytest.fixture(scope="module")
def processor():
    return make_processor()


@pytest.mark.parametrize("draw", [plain_picture, varied_picture])
def test_same_seed_same_pictures(draw):
    def drawn(seed):
        rng = random.Random(seed)
        return [draw(rng, any_shape(rng)) for _ in range(5)]

    for one, other in zip(drawn(3), drawn(3), strict=True):
        assert one.picture.tobytes() == other.picture.tobytes()
        np.testing.assert_array_equal(one.cover, other.cover)
    assert drawn(3)[0].picture.tobytes() != drawn(4)[0].picture.tobytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("color", COLORS)
def test_a_plain_picture_shows_its_shape_on_a_pale_ground(kind, color):
    rng = random.Random(11)
    for _ in range(5):
        picture, cover = plain_picture(rng, Shape(kind, color))
        pixels = np.asarray(picture)
        assert pixels.shape == (64, 64, 3)
        assert (pixels[cover == 1] == COLORS[color]).all()
        ground = pixels[cover == 0]
        assert (ground == ground[0]).all() and ground.min() >= 230
        assert 8**2 * 0.4 < cover.sum() <= 34**2


def test_varied_shapes_lie_in_the_picture():
    rng = random.Random(5)
    covers = [varied_picture(rng, any_shape(rng)).cover for _ in range(50)]
    assert all(25 < cover.sum() <= 64**2 for cover in covers)
    inside = [cover[1:-1, 1:-1].sum() / cover.sum() for cover in covers]
    assert min(inside) > 0.8


def test_questions_are_seeded_and_true():
    shape = Shape("triangle", "teal")
    asked = turns(random.Random(2), shape, 400)
    assert asked == turns(random.Random(2), shape, 400)
    by_question = dict(asked)
    assert by_question["is there a triangle?"] == "yes"
    assert by_question["is there not a triangle?"] == "no"
    assert by_question["is no teal shape present?"] == "no"
    assert by_question["what is the teal shape?"] == "triangle"
    assert by_question["describe the image."] == "a teal triangle"
    presence = [turn.answer for turn in asked if turn.matches is not None]
    assert 180 < len(presence) < 300
    assert abs(presence.count("yes") / len(presence) - 0.5) < 0.1


@pytest.mark.parametrize(
    ("question", "answer", "matches"),
    [
        ("is there a circle?", "yes", True),
        ("is there not a red shape?", "yes", False),
        ("Is no circle present?", "no", True),
        ("what shape is present?", "circle", None),
    ],
)
def test_whether_the_picture_has_what_is_named(question, answer, matches):
    assert Turn(question, answer).matches is matches


def test_each_answer_is_one_token(processor):
    assert len(processor.tokenizer) == VOCABULARY
    for word in ("yes", "no", *KINDS, *COLORS):
        assert len(processor.tokenizer.encode(f" {word}", add_special_tokens=False)) == 1
    text = "Ünïcode, 3 < 4!\n"
    assert processor.tokenizer.decode(processor.tokenizer.encode(text, add_special_tokens=False)) == text


@pytest.mark.parametrize("conversation", [True, False])
def test_sequences_are_what_the_processor_gives(processor, conversation):
    rng = random.Random(1)
    picture = plain_picture(rng, any_shape(rng)).picture
    batch = Batcher(processor).batch([Sample(picture, TURNS, conversation)])
    asked = TURNS if conversation else TURNS[:1]
    messages = []
    for number, turn in enumerate(asked):
        image = [{"type": "image"}] if number == 0 else []
        messages.append({"role": "user", "content": [*image, {"type": "text", "text": turn.question}]})
        messages.append({"role": "assistant", "content": [{"type": "text", "text": turn.answer}]})
    prompt = processor.apply_chat_template(messages)
    expected = processor(images=[picture], text=prompt, return_tensors="pt")
    ids = expected["input_ids"][0, :-1]  # without the line's end after the last turn
    assert torch.equal(batch.ids[0, : len(ids)], ids)
    assert torch.equal(batch.pixels[0], expected["pixel_values"][0])
    assert torch.equal(batch.positions[0, : len(ids)], torch.arange(len(ids)))


def test_turns_that_stand_alone_do_not_see_each_other(processor):
    picture = Image.new("RGB", (64, 64))
    batcher = Batcher(processor)
    together = batcher.batch([Sample(picture, TURNS, conversation=False)])
    alone = batcher.batch([Sample(picture, TURNS[1:], conversation=False)])
    head = 22
    count = alone.ids.shape[1] - head
    assert torch.equal(together.ids[0, -count:], alone.ids[0, head:])
    assert torch.equal(together.positions[0, -count:], alone.positions[0, head:])
    sees = together.mask[0, 0, -count:]
    assert sees[:, :head].all()
    assert not sees[:, head:-count].any()
    assert torch.equal(sees[:, -count:], torch.ones((count, count), dtype=torch.bool).tril())


def test_only_answers_are_learnt(processor):
    batch = Batcher(processor).batch([Sample(Image.new("RGB", (64, 64)), TURNS, conversation=True)])
    labels = batch.labels[batch.labels != IGNORED].tolist()
    assert processor.tokenizer.decode(labels) == " yes<end_of_utterance> teal<end_of_utterance>"
    places = torch.nonzero(batch.matches[0] != IGNORED).flatten().tolist()
    assert processor.tokenizer.decode([int(batch.ids[0, place]) for place in places]) == "<end_of_utterance>"
    assert batch.matches[0, places].tolist() == [0]


def test_pixels_and_cover():
    assert pixels_of(Image.new("RGB", (64, 64), (0, 255, 51))).amax((0, 2, 3)).tolist() == pytest.approx(
        [-1, 1, -0.6]
    )
    cover = np.zeros((64, 64), np.float32)
    cover[8:16, 16:24] = 1
    assert cover_by_patch(cover).sum(1).nonzero().flatten().tolist() == [8 + 2]


def test_the_report_counts_by_sort_and_by_answer():
    lines = report(
        [
            Answered("is there a circle?", "yes", "yes"),
            Answered("is no red shape present?", "yes", "no"),
            Answered("what color is the shape?", "red", "red"),
        ]
    ).splitlines()
    assert [line.split() for line in lines[:1]] == [["all", "2/3", "=", "66.67%"]]
    assert [line.rsplit(" = ")[1] for line in lines[1:]] == [
        "0.00%",
        "100.00%",
        "100.00%",
        "100.00%",
        "50.00%",
    ]


def test_the_committed_checkpoint_answers_of_new_pictures():
    network, processor = load(Path(__file__).parents[2] / "models" / "shapes-vlm" / "checkpoint")
    rng = random.Random(2026)
    asked, expected = [], []
    for _ in range(4):
        shape = any_shape(rng)
        picture = plain_picture(rng, shape).picture
        for turn in turns(rng, shape, 5):
            asked.append((picture, turn.question))
            expected.append(turn.answer)
    assert greedy(network, processor, asked) == expected
