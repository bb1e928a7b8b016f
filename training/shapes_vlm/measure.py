"""Accuracy on easy-vqa's test split: greedy answers of the saved model, word for word."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from training.shapes_vlm.packaged import Pictured
from training.shapes_vlm.pictures import KINDS, SIDE_PX

NEW_TOKENS = 6
BATCH = 64
BLANK = Image.new("RGB", (SIDE_PX, SIDE_PX), (243, 243, 243))


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer and what the model said."""

    question: str
    expected: str
    got: str

    @property
    def kind(self) -> str:
        """What sort of question it is."""
        if self.expected in ("yes", "no"):
            about = "kind" if any(kind in self.question for kind in KINDS) else "color"
            negated = " not " in self.question or "is no " in self.question
            return f"{'not ' if negated else ''}there? ({about})"
        return "which kind?" if self.expected in KINDS else "which color?"


def answers(
    network: Idefics3ForConditionalGeneration, processor: Idefics3Processor, split: Sequence[Pictured]
) -> Iterator[Answered]:
    """The model's greedy answers to all questions of the split, each asked alone."""
    asked = [(item.picture, turn) for item in split for turn in item.turns]
    for first in range(0, len(asked), BATCH):
        part = asked[first : first + BATCH]
        said = greedy(network, processor, [(picture, turn.question) for picture, turn in part])
        for (_, turn), got in zip(part, said, strict=True):
            yield Answered(turn.question, turn.answer, got)


def greedy(
    network: Idefics3ForConditionalGeneration,
    processor: Idefics3Processor,
    asked: Sequence[tuple[Image.Image, str]],
) -> list[str]:
    """What the model says to each picture and question, as its processor writes the prompt."""
    prompts = [
        processor.apply_chat_template(
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}],
            add_generation_prompt=True,
        )
        for _, question in asked
    ]
    images = [[picture] for picture, _ in asked]
    inputs = processor(images=images, text=prompts, padding=True, return_tensors="pt")
    with torch.no_grad():
        tokens = network.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False)
    new = tokens[:, inputs["input_ids"].shape[1] :]
    return [text.strip() for text in processor.batch_decode(new, skip_special_tokens=True)]


def blanked(split: Sequence[Pictured]) -> list[Pictured]:
    """The same questions of an empty picture: what the words alone give away."""
    return [Pictured(BLANK, item.turns) for item in split]


def report(answered: Sequence[Answered]) -> str:
    """Accuracy overall, by sort of question and by answer, a line each."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for one in answered:
        for name in ("all", one.kind, f'"{one.expected}"'):
            groups[name].append(one.got == one.expected)
    lines = [
        f"{name:20} {sum(right)}/{len(right)} = {sum(right) / len(right):.2%}"
        for name, right in groups.items()
    ]
    return "\n".join(sorted(lines, key=lambda line: (line.startswith('"'), not line.startswith("all"), line)))
