"""Full precision against transformers: the same greedy tokens for every picture and question, or where they part.

Told beside it is the largest difference of their scores.

    python -m benchmarks.vision_language.greedy_parity vlm.reference.edge vlm/

Pictures are drawn, of sizes from 8 to 600 pixels a side; the prompt's own tokens have to be equal, too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgekit.tasks.decoder import DECODE
from edgekit.tasks.registry import load
from edgekit.tasks.settings import Settings
from edgekit.tasks.trace import Trace
from edgekit.tasks.vision_language import VisionLanguage

QUESTIONS = (
    "What is in this picture?",
    "What color is the shape?",
    "Is there a circle?",
    "How many things are there, and where?",
    "Describe the picture.",
)


def main() -> int:
    """Compares; 1 if any answer differs."""
    import torch
    from transformers import AutoModelForImageTextToText

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path, help="in full precision")
    parser.add_argument("folder", type=Path, help="the checkpoint that it was made of")
    parser.add_argument("--variant", help="of the bundle")
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=1, help="in each prompt")
    parser.add_argument("--tokens", type=int, default=16)
    args = parser.parse_args()
    task = load(args.bundle, args.variant)
    assert isinstance(task, VisionLanguage)
    network = AutoModelForImageTextToText.from_pretrained(args.folder, dtype=torch.float32).eval()
    reference = processor(args.folder, task)
    return compare(task, network, reference, args.prompts, args.tokens, args.pictures)


def compare(
    task: VisionLanguage, network: Any, reference: Any, prompts: int, tokens: int, pictures: int = 1
) -> int:
    """Answers to so many prompts on both sides; 1 if any differs."""
    import torch

    rng, equal, furthest = np.random.default_rng(0), 0, 0.0
    for number in range(prompts):
        seen, question = [drawn(rng) for _ in range(pictures)], QUESTIONS[number % len(QUESTIONS)]
        given = reference(seen, question)
        trace = Trace()
        ours = task.stream(question, seen, settings=Settings(max_tokens=tokens), trace=trace).generation
        with torch.inference_mode():
            made = network.generate(
                **given,
                max_new_tokens=tokens,
                do_sample=False,
                return_dict_in_generate=True,
                output_logits=True,
            )
        theirs = made.sequences[0, given["input_ids"].shape[1] :].tolist()
        scores = [scored for call in trace.calls if call.role == DECODE for _, scored in call.told]
        pairs = zip(scores[-len(theirs) :], made.logits, strict=True)
        furthest = max(furthest, *(float(np.abs(a[-1] - b[0].numpy()).max()) for a, b in pairs))
        theirs = theirs[:-1] if theirs and ours.finish == "end" else theirs
        same = list(ours.tokens) == theirs and ours.pace is not None
        same = same and ours.pace.prompt_tokens == given["input_ids"].shape[1]
        equal += same
        if not same:
            sizes = [picture.size for picture in seen]
            print(f"prompt {number}, {sizes}: {list(ours.tokens)} ({ours.finish}), expected {theirs}")
    print(f"{equal} of {prompts} answers of up to {tokens} tokens are equal, scores to {furthest:.2g}")
    return 0 if equal == prompts else 1


def drawn(rng: np.random.Generator) -> Image.Image:
    """A picture of soft colours with a few rectangles."""
    width, height = (int(side) for side in rng.integers(8, 600, 2))
    small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))
    pixels = np.array(small.resize((width, height)))
    for _ in range(int(rng.integers(1, 5))):
        (left, right), (top, bottom) = (np.sort(rng.integers(0, side, 2)) for side in (width, height))
        pixels[top:bottom, left:right] = rng.integers(0, 256, 3)
    return Image.fromarray(pixels)


def processor(folder: Path, task: VisionLanguage) -> Any:
    """What makes a network's inputs of pictures and a question, cut as the bundle cuts them."""
    from transformers import AutoProcessor

    made = AutoProcessor.from_pretrained(folder, backend="pil")
    template = made.chat_template or made.tokenizer.chat_template
    tiles, more = task.vision.input, {}
    if task.vision.head.layout == "idefics3":
        made.image_seq_len = task.vision.head.tokens
        sides = {"size": {"longest_edge": tiles.longest}, "max_image_size": {"longest_edge": tiles.size}}
        more = {"do_image_splitting": tiles.split, **sides}

    def prepare(pictures: list[Image.Image], question: str) -> Any:
        content = [*[{"type": "image"}] * len(pictures), {"type": "text", "text": question}]
        text = made.apply_chat_template(
            [{"role": "user", "content": content}], chat_template=template, add_generation_prompt=True
        )
        return made(text=text, images=[pictures], return_tensors="pt", **more)

    return prepare


if __name__ == "__main__":
    sys.exit(main())
