"""Perplexity, agreement and divergence of quantised models from their reference, on texts none of them has seen.

    python benchmarks/text_quantiser reference/ ours.edge llama-q4_k_m.gguf --llama-python llama-env/bin/python

The reference is a Hugging Face folder (`reference.py` makes one whose weights lie on no grid; `to_gguf.py` writes it
for llama.cpp, `engine.py requantize` quantises that). Texts: six windows of up to 512 tokens of Python's language
reference and of two licences (3,066 tokens for SmolLM2), and 40 windows of State of the Union addresses since 1990.
The divergence is KL(reference ‖ model) in nats a token, the agreement that of the most likely tokens.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from edgekit.types import F32
from edgekit_export.data.english import SPEECHES, speeches
from edgekit_export.sources.packages import fetch

ENGINE = Path(__file__).with_name("engine.py")
WINDOW, WINDOWS = 512, 40
LICENCES = Path("/usr/share/common-licenses")


class Engine:
    """A model in its process."""

    def __init__(self, kind: str, python: str, path: Path, threads: int) -> None:
        self._process = subprocess.Popen(
            [python, str(ENGINE), kind, str(path), str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def log_probabilities(self, tokens: list[int]) -> F32:
        """``(tokens, vocabulary)`` natural logarithms."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(tokens).encode() + b"\n")
        self._process.stdin.flush()
        shape = json.loads(self._process.stdout.readline())
        data = self._process.stdout.read(4 * shape[0] * shape[1])
        scores = np.frombuffer(data, np.float32).reshape(shape)
        scores = scores - scores.max(axis=1, keepdims=True)
        found: F32 = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return found

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def manual(tokenizer: Tokenizer) -> list[list[int]]:
    """Windows of technical English."""
    from pydoc_data.topics import topics

    texts = [
        topics["compound"][:3500],
        topics.get("imports", topics["import"])[:3000],
        (LICENCES / "Artistic").read_text(encoding="utf-8")[:2500],
        (LICENCES / "MPL-2.0").read_text(encoding="utf-8")[2000:4500],
        topics["objects"][:3000],
        topics["numeric-types"][:2500],
    ]
    return [tokenizer.encode(text, add_special_tokens=False).ids[:WINDOW] for text in texts]


def modern_speeches(tokenizer: Tokenizer) -> list[list[int]]:
    """Windows of speeches since 1990: 6,000 characters of each."""
    recent = list(speeches(fetch(SPEECHES), last_year=2100))[-32:]
    ids = tokenizer.encode("\n\n".join(text[3000:9000] for text in recent), add_special_tokens=False).ids
    return [ids[at : at + WINDOW] for at in range(0, WINDOW * WINDOWS, WINDOW)]


def compared(reference: F32, found: F32, tokens: list[int]) -> np.ndarray:
    """Sums over a window: tokens, both negative log likelihoods, agreements, divergence."""
    reference, found, wanted = reference[:-1], found[:-1], np.asarray(tokens[1:])
    at = np.arange(len(wanted))
    same = (reference.argmax(axis=1) == found.argmax(axis=1)).sum()
    divergence = (np.exp(reference) * (reference - found)).sum()
    return np.array([len(at), -reference[at, wanted].sum(), -found[at, wanted].sum(), same, divergence])


def main() -> None:
    """Prints a table of each text."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reference", type=Path)
    parser.add_argument("models", type=Path, nargs="+", help=".edge or .gguf")
    parser.add_argument("--llama-python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(args.reference / "tokenizer.json"))
    reference = Engine("transformers", sys.executable, args.reference, args.threads)
    engines = [
        Engine("edgekit", sys.executable, path, args.threads)
        if path.suffix == ".edge"
        else Engine("llama", args.llama_python, path, args.threads)
        for path in args.models
    ]
    for name, windows in (("manual", manual(tokenizer)), ("speeches", modern_speeches(tokenizer))):
        sums = np.zeros((len(engines), 5))
        for tokens in windows:
            wanted = reference.log_probabilities(tokens)
            for row, engine in zip(sums, engines, strict=True):
                row += compared(wanted, engine.log_probabilities(tokens), tokens)
        count, before = sums[0, :2]
        print(f"{name}: {count:.0f} tokens, perplexity of the reference {np.exp(before / count):.3f}")
        for path, (_, _, loss, same, divergence) in zip(args.models, sums, strict=True):
            print(
                f"  {path.name:32} {path.stat().st_size / 1e6:6.1f} MB  perplexity {np.exp(loss / count):7.3f}  "
                f"agreement {same / count:.4f}  KL {divergence / count:.5f}",
                flush=True,
            )
    for engine in (reference, *engines):
        engine.close()


if __name__ == "__main__":
    main()
