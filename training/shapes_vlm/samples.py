"""What a training step sees, from the step's own seed: a run that was stopped goes on with the same samples."""

import random
from collections.abc import Sequence

from training.shapes_vlm.batches import Sample
from training.shapes_vlm.packaged import Pictured
from training.shapes_vlm.pictures import Drawing, Shape, any_shape, plain_picture, varied_picture
from training.shapes_vlm.questions import turns

TURNS = 10  # a picture
VARIED = 0.35  # share of the generated pictures, in the end
PACKAGED = 0.25  # share of the pictures asked about
CONVERSATIONS = 0.25  # share of the samples whose turns see those before


def generated(rng: random.Random, varied: float = VARIED) -> tuple[Shape, Drawing]:
    """A shape and its picture, which is a varied one with the given probability."""
    shape = any_shape(rng)
    draw = varied_picture if rng.random() < varied else plain_picture
    return shape, draw(rng, shape)


def asked_about(rng: random.Random, negated: float = 0.5) -> Sample:
    """A generated picture and questions about it."""
    shape, drawing = generated(rng)
    return Sample(drawing.picture, turns(rng, shape, TURNS, negated), rng.random() < CONVERSATIONS)


def from_package(rng: random.Random, train: Sequence[Pictured]) -> Sample:
    """One of the package's training pictures and some of its questions."""
    picture, asked = rng.choice(train)
    return Sample(picture, rng.sample(asked, min(TURNS, len(asked))), rng.random() < CONVERSATIONS)


def mixed(rng: random.Random, train: Sequence[Pictured], count: int, negated: float = 0.5) -> list[Sample]:
    """A batch of both; of the generated yes-or-no questions, `negated` is the share of negated ones."""
    return [
        from_package(rng, train) if rng.random() < PACKAGED else asked_about(rng, negated)
        for _ in range(count)
    ]
