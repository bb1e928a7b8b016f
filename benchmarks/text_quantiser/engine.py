"""One model in a process of its own: a line of JSON with tokens in, their next-token scores out as raw float32.

`python engine.py llama model.gguf 2`, `… edgekit model.edge 2`, `… transformers folder 2`; `… requantize IN.gguf
OUT.gguf Q4_K_M` writes a file as llama.cpp quantises it, without an importance matrix.
"""

import json
import os
import sys
from collections.abc import Callable

import numpy as np

Scores = Callable[[list[int]], np.ndarray]


def edgekit_scores(path: str, threads: int) -> Scores:
    """Our bundle, as it ships."""
    from edgekit.engines.protocol import EngineOptions
    from edgekit.tasks.registry import load

    decoder = load(path, options=EngineOptions(threads=threads, context=1024)).decoder

    def run(tokens: list[int]) -> np.ndarray:
        decoder.rewind(0)
        parts = [tokens[at : at + decoder.chunk] for at in range(0, len(tokens), decoder.chunk)]
        return np.concatenate([np.array(decoder.extend(part, tuple(range(len(part))))) for part in parts])

    return run


def llama_scores(path: str, threads: int) -> Scores:
    """llama.cpp on a GGUF file."""
    import llama_cpp

    model = llama_cpp.Llama(
        path, n_ctx=1024, n_threads=threads, n_threads_batch=threads, logits_all=True, verbose=False
    )

    def run(tokens: list[int]) -> np.ndarray:
        model.reset()
        model.eval(tokens)
        return np.asarray(model.scores[: len(tokens)])

    return run


def transformers_scores(path: str, threads: int) -> Scores:
    """The reference in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()

    def run(tokens: list[int]) -> np.ndarray:
        with torch.no_grad():
            return model(torch.tensor([tokens])).logits[0].numpy()

    return run


def requantize(source: str, target: str, kind: str) -> None:
    """llama.cpp's own quantiser."""
    import ctypes

    import llama_cpp

    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}")
    if llama_cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(options)):
        raise SystemExit(f"{kind}: llama.cpp could not quantise {source}")


def main() -> None:
    """Serves until its input ends."""
    kind, path = sys.argv[1:3]
    if kind == "requantize":
        requantize(path, *sys.argv[3:5])
        return
    out, sys.stdout = os.fdopen(os.dup(1), "wb"), sys.stderr  # whatever libraries print is no score
    os.dup2(2, 1)
    run = {"edgekit": edgekit_scores, "llama": llama_scores, "transformers": transformers_scores}[kind](
        path, int(sys.argv[3])
    )
    for line in sys.stdin:
        scores = np.ascontiguousarray(run(json.loads(line)), np.float32)
        out.write(json.dumps(scores.shape).encode() + b"\n" + scores.tobytes())
        out.flush()


if __name__ == "__main__":
    main()
