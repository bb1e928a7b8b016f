"""Full precision against transformers: the same greedy tokens on every prompt, or where they part.

    python benchmarks/greedy_parity.py smollm2.reference.edge SmolLM2-135M-Instruct.Q4_1.gguf

Prompts are the beginnings of the topics in Python's own documentation: 50 of them, 4 to 24 tokens long.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from pydoc_data.topics import topics

from edgekit.tasks.generate import Generate
from edgekit.tasks.registry import load
from edgekit.tasks.settings import Settings
from edgekit_export.sources.gguf.reader import open_gguf
from edgekit_export.sources.text_reference import reference_model


def main() -> int:
    """Compares; 1 if any answer differs."""
    import torch

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=32)
    args = parser.parse_args()
    task = load(args.bundle)
    assert isinstance(task, Generate)
    checkpoint = open_gguf(args.gguf)
    network = reference_model(checkpoint)
    texts = [topics[name] for name in sorted(topics)][: args.prompts]
    equal = 0
    for index, text in enumerate(texts):
        prompt = task.words.tokens(text)[: 4 + index * 20 // max(len(texts) - 1, 1)]
        ours = list(task(prompt, None, Settings(max_tokens=args.tokens)).tokens)
        with torch.inference_mode():
            made = network.generate(torch.tensor([prompt]), max_new_tokens=args.tokens, do_sample=False)
        theirs = made[0, len(prompt) :].tolist()
        theirs = theirs[:-1] if theirs and theirs[-1] in checkpoint.words.ends else theirs
        same = ours == theirs
        equal += same
        if not same:
            part = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), -1)
            print(
                f"prompt {index}: parts at token {part}: {ours[part : part + 3]} and {theirs[part : part + 3]}"
            )
    print(f"{equal} of {len(texts)} prompts equal, {args.tokens} tokens each")
    return int(equal != len(texts))


if __name__ == "__main__":
    sys.exit(main())
