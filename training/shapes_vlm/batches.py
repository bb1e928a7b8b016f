"""Batches: many questions on one picture in one sequence, in the very tokens that the processor gives.

A sequence is the head (`<|im_start|>User:` and the picture) and then its turns. Either the turns are one
conversation, each seeing those before it, or each stands alone after the head, as a first question does:
then it sees the head and itself only, and its positions follow the head's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from transformers import Idefics3Processor

from training.shapes_vlm.questions import Turn

IGNORED = -100  # label of what is not an answer


class Sample(NamedTuple):
    """A picture (64 × 64 RGB) and questions about it."""

    picture: Image.Image
    turns: list[Turn]
    conversation: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays of n sequences of at most `length` tokens."""

    pixels: torch.Tensor  # (n, 1, 3, 64, 64) float32, -1..1
    ids: torch.Tensor  # (n, length) int64
    positions: torch.Tensor  # (n, length) int64
    mask: torch.Tensor  # (n, 1, length, length) bool: true where a token sees another
    labels: torch.Tensor  # (n, length) int64: the next token where it is an answer's, else IGNORED
    matches: (
        torch.Tensor
    )  # (n, length) int64: at a yes-or-no question's end 1 if the picture has it, 0 if not


class _Row(NamedTuple):
    """One sequence; group 0 is seen by all that follows it, others by their own only."""

    ids: list[int]
    positions: list[int]
    group: list[int]
    labels: list[int]
    matches: list[int]


class Batcher:
    """Makes batches with one processor's tokens; remembers the tokens of each piece of text."""

    def __init__(self, processor: Idefics3Processor) -> None:
        self._tokenizer = processor.tokenizer
        self._pad = processor.tokenizer.pad_token_id
        self._pieces: dict[str, list[int]] = {}
        mark = processor.replace_image_token({"rows": [[0]], "cols": [[0]]}, 0)
        self._head = self._tokens(f"<|im_start|>User:{mark}")

    def answer_ids(self, *answers: str) -> torch.Tensor:
        """The first token of each answer."""
        return torch.tensor([self._tokens(f" {answer}<end_of_utterance>")[0] for answer in answers])

    def batch(self, samples: Sequence[Sample]) -> Batch:
        """The batch of these samples, padded on the right."""
        rows = [self._sequence(sample) for sample in samples]
        ids = _padded([row.ids for row in rows], self._pad)
        positions = _padded([row.positions for row in rows], 0)
        group = _padded([row.group for row in rows], -1)
        labels = _padded([row.labels for row in rows], IGNORED)
        matches = _padded([row.matches for row in rows], IGNORED)
        pixels = torch.stack([pixels_of(sample.picture) for sample in samples])
        return Batch(pixels, ids, positions, _sees(group), labels, matches)

    def _sequence(self, sample: Sample) -> _Row:
        head = len(self._head)
        row = _Row(list(self._head), list(range(head)), [0] * head, [IGNORED] * head, [IGNORED] * head)
        for number, turn in enumerate(sample.turns):
            follows = sample.conversation and number > 0
            question = self._tokens(f"\nUser: {turn.question}" if follows else turn.question)
            asked = question + self._tokens("<end_of_utterance>\nAssistant:")
            answer = self._tokens(f" {turn.answer}<end_of_utterance>")
            first = len(row.ids) if sample.conversation else head
            count = len(asked) + len(answer)
            match = IGNORED if turn.matches is None else int(turn.matches)
            row.ids.extend(asked + answer)
            row.positions.extend(range(first, first + count))
            row.group.extend([0 if sample.conversation else number + 1] * count)
            row.labels.extend([IGNORED] * (len(asked) - 1) + answer + [IGNORED])
            row.matches.extend([IGNORED] * len(question) + [match] + [IGNORED] * (count - len(question) - 1))
        return row

    def _tokens(self, text: str) -> list[int]:
        if text not in self._pieces:
            self._pieces[text] = self._tokenizer.encode(text, add_special_tokens=False)
        return self._pieces[text]


def pixels_of(picture: Image.Image) -> torch.Tensor:
    """What the processor makes of a 64 × 64 RGB picture: (1, 3, 64, 64) float32, -1..1."""
    values = np.asarray(picture, np.float32).transpose(2, 0, 1) / 255
    return torch.from_numpy((values - 0.5) / 0.5)[None]


def _padded(rows: Sequence[list[int]], value: int) -> torch.Tensor:
    length = max(len(row) for row in rows)
    return torch.tensor([row + [value] * (length - len(row)) for row in rows])


def _sees(group: torch.Tensor) -> torch.Tensor:
    """(n, length) groups -> (n, 1, length, length): earlier tokens of group 0 and of the own group.

    A padding token (-1) sees the head: a row without any would be no number.
    """
    length = group.shape[1]
    earlier = torch.ones((length, length), dtype=torch.bool).tril()
    seen = (group[:, None, :] == 0) | (group[:, None, :] == group[:, :, None])
    return (seen & earlier)[:, None]
