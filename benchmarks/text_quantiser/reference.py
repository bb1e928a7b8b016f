"""A SmolLM2 whose weights lie on no grid: what quantisers are compared on.

    python benchmarks/text_quantiser/reference.py SOURCE.gguf reference/

The weights that can be had are dequantised 4-bit ones, and a recipe that finds their grid looks better on them than on
any other. Here each weight is moved by up to a quarter of its grid's step to either side, all are fine-tuned for 300
steps (AdamW, 2e-4 falling by a cosine, 128 tokens a step, gradients clipped at 1) on the prose of docstrings of four
packages, text that is neither calibrated nor reported on, and then each is moved by up to half a step to either side:
where on the old grid a weight lies is then evenly distributed, so that the grid cannot be found. (Without the last move
llama.cpp's Q4_K found it: 93 % of what had moved was undone.) Seeded; docstrings differ by version. About 20 minutes on
two free cores, 3.5 GB of memory. Writes a Hugging Face folder and says how far the weights moved.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from edgekit_export.architectures.architecture import tensor_shapes
from edgekit_export.architectures.registry import by_gguf_name
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.sources.text_reference import reference_model
from edgekit_export.sources.text_source import text_source

PACKAGES = ("scipy", "numpy", "transformers", "sklearn")
STEPS, LENGTH, RATE, WARM = 300, 128, 2e-4, 20
DITHERS = (0.5, 1.0)
"""Of a step, end to end: before fine-tuning, and after it."""


def prose(package: str) -> Iterator[str]:
    """Paragraphs of a package's docstrings that are sentences, each once."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    seen = set()
    for path in sorted(Path(spec.origin).parent.rglob("*.py")):
        if "test" in str(path):
            continue
        try:
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in nodes:
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                continue
            for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
                text = re.sub(r"\s+", " ", paragraph).strip()
                if _is_prose(text) and text[:80] not in seen:
                    seen.add(text[:80])
                    yield text


def _is_prose(text: str) -> bool:
    letters = sum(c.isalpha() or c == " " for c in text)
    marks = any(mark in text for mark in (">>>", "---", " : "))
    return (
        len(text) > 200 and letters > 0.86 * len(text) and text[0].isupper() and text[-1] == "." and not marks
    )


def tokens(tokenizer: Tokenizer, count: int) -> torch.Tensor:
    """So many tokens of prose, paragraphs in a seeded order."""
    paragraphs = [text for package in PACKAGES for text in prose(package)]
    random.Random(0).shuffle(paragraphs)
    found: list[int] = []
    for text in paragraphs:
        found += tokenizer.encode(f"{text}\n\n", add_special_tokens=False).ids
        if len(found) >= count:
            return torch.tensor(found[:count])
    raise SystemExit(f"docstrings: expected {count} tokens, got {len(found)}")


def rate(step: int) -> float:
    """Learning rate: linear warm-up, cosine to a fiftieth."""
    fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / STEPS))
    return RATE * min(1.0, (step + 1) / WARM) * fall


def main() -> None:
    """Makes the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    source = text_source(args.source)
    assert source is not None
    model = source.model
    torch.manual_seed(0)
    network = reference_model(model).requires_grad_(True).train()
    architecture = by_gguf_name(model.shape.architecture, model.origin)
    parameters = dict(network.named_parameters())
    steps = {}
    for name in tensor_shapes(model.shape):
        weight = model.read(name)
        if isinstance(weight, Blockwise):
            step = np.abs(weight.scales.astype(np.float32)).repeat(weight.block, 1)
            steps[architecture.hf_name(name)] = torch.from_numpy(step)
    before = {name: parameters[name].detach().clone() for name in steps}
    _dither(parameters, steps, DITHERS[0], seed=1)
    _tune(network, tokens(Tokenizer.from_str(model.words.tokenizer.decode()), STEPS * LENGTH))
    _dither(parameters, steps, DITHERS[1], seed=2)
    for name, step in steps.items():
        moved = ((parameters[name].detach() - before[name]) / step)[step > 0]
        print(f"{name}: moved by {moved.square().mean().sqrt():.3f} steps (root mean square)")
    network.eval().save_pretrained(args.folder)
    (args.folder / "tokenizer.json").write_bytes(model.words.tokenizer)
    (args.folder / "chat_template.jinja").write_text(model.words.chat_template, encoding="utf-8")


def _dither(
    parameters: dict[str, torch.nn.Parameter], steps: dict[str, torch.Tensor], share: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, step in steps.items():
            parameters[name].add_((torch.rand(step.shape, generator=generator) - 0.5) * share * step)


def _tune(network: torch.nn.Module, ids: torch.Tensor) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        part = ids[step * LENGTH : (step + 1) * LENGTH][None]
        loss = network(part, labels=part).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 20 == 19:
            print(f"step {step + 1}: loss {loss.item():.3f}", flush=True)


if __name__ == "__main__":
    main()
