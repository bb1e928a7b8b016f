"""Questions about one coloured shape and their answers: easy-vqa's forms, a few other wordings, a description."""

import random
from functools import partial
from typing import NamedTuple

from training.shapes_vlm.pictures import COLORS, KINDS, Shape

# {} is a kind ("circle") or a coloured shape ("red shape"); the answer to the second group is turned round.
PRESENT = (
    "is there a {}?",
    "is there a {} in the image?",
    "does the image contain a {}?",
    "is a {} present?",
)
ABSENT = (
    "is there not a {}?",
    "is there not a {} in the image?",
    "does the image not contain a {}?",
    "is no {} present?",
)
KIND = (
    "what shape is in the image?",
    "what shape does the image contain?",
    "what shape is present?",
    "what is the {} shape?",  # {}: its colour
)
COLOR = ("what color is the {}?", "what is the color of the {}?")  # {}: its kind, or "shape"
DESCRIBE = ("describe the image.", "what is in the image?")

_OTHER_WORDS = (("image", "picture"), ("color", "colour"), ("what color", "which color"))


class Turn(NamedTuple):
    """One question and its answer."""

    question: str
    answer: str

    @property
    def matches(self) -> bool | None:
        """Whether the picture has what a yes-or-no question names; None for other questions."""
        if self.answer not in ("yes", "no"):
            return None
        negated = " not " in self.question or self.question.lower().startswith("is no ")
        return (self.answer == "yes") != negated


def presence(rng: random.Random, shape: Shape, negated_share: float = 0.5) -> Turn:
    """Is it there, or not there? Yes and no are equally likely."""
    asked = _asked_for(rng, shape, there=rng.random() < 0.5)
    negated = rng.random() < negated_share
    there = asked in (shape.kind, f"{shape.color} shape")
    question = rng.choice(ABSENT if negated else PRESENT).format(asked)
    return Turn(question, "yes" if there != negated else "no")


def kind_or_color(rng: random.Random, shape: Shape) -> Turn:
    """Which kind, or which colour?"""
    if rng.random() < 0.6:  # kinds are harder to tell than colours
        return Turn(rng.choice(KIND).format(shape.color), shape.kind)
    return Turn(rng.choice(COLOR).format(rng.choice((shape.kind, "shape"))), shape.color)


def description(rng: random.Random, shape: Shape) -> Turn:
    """A whole phrase of what the picture shows."""
    return Turn(rng.choice(DESCRIBE), f"a {shape.color} {shape.kind}")


def turns(rng: random.Random, shape: Shape, count: int, negated_share: float = 0.5) -> list[Turn]:
    """`count` questions of all kinds about one picture, a tenth of them in other words."""
    there = partial(presence, negated_share=negated_share)
    forms = rng.choices((there, kind_or_color, description), weights=(0.6, 0.3, 0.1), k=count)
    asked = [form(rng, shape) for form in forms]
    return [Turn(other_words(rng, t.question), t.answer) if rng.random() < 0.1 else t for t in asked]


def other_words(rng: random.Random, question: str) -> str:
    """The question as somebody else writes it: another word, a capital, no question mark."""
    if rng.random() < 0.5:
        question = question.replace(*rng.choice(_OTHER_WORDS))
    if rng.random() < 0.5:
        question = question[0].upper() + question[1:]
    return question.rstrip("?.") if rng.random() < 0.3 else question


def all_phrases() -> list[str]:
    """Every question and answer of every shape, for the tokenizer to learn from."""
    named = [*KINDS, *(f"{color} shape" for color in COLORS)]
    questions = [form.format(name) for form in PRESENT + ABSENT for name in named]
    questions += [form.format(color) for form in KIND for color in COLORS]
    questions += [form.format(kind) for form in COLOR for kind in (*KINDS, "shape")]
    questions += DESCRIBE
    other = [question.replace(*words) for question in questions for words in _OTHER_WORDS]
    capital = [question[0].upper() + question[1:] for question in questions + other]
    answers = [
        *["yes", "no", *KINDS, *COLORS] * 100,
        *(f"a {color} {kind}" for color in COLORS for kind in KINDS),
    ]
    return sorted({*questions, *other, *capital}) + answers


def _asked_for(rng: random.Random, shape: Shape, *, there: bool) -> str:
    """What is asked for: the picture's own kind or colour, or another."""
    if rng.random() < 0.45:
        return shape.kind if there else rng.choice([kind for kind in KINDS if kind != shape.kind])
    color = shape.color if there else rng.choice([color for color in COLORS if color != shape.color])
    return f"{color} shape"
