"""One engine in a process of its own: a line of JSON in (prompt, number of tokens), a line of times out.

Runs in any environment that has the engine: `python -m benchmarks.text_models.worker llama model.gguf 2`,
`… edgekit model.edge 2`, `… transformers model.gguf 2`.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.turns import Answer, serve

Run = Callable[[list[int], int], tuple[float, float, list[int]]]
"""Prompt and number of tokens → seconds of prefill and of decoding, and the greedy tokens."""


def edgekit_run(path: str, threads: int) -> Run:
    """Our bundle, by its decoder."""
    from edgekit.engines.protocol import EngineOptions
    from edgekit.tasks.registry import load

    decoder = load(path, options=EngineOptions(threads=threads, context=1024)).decoder

    def run(prompt: list[int], tokens: int) -> tuple[float, float, list[int]]:
        decoder.rewind(0)
        start = time.perf_counter()
        for at in range(0, len(prompt), decoder.chunk):
            part = prompt[at : at + decoder.chunk]
            scores = decoder.extend(part, (len(part) - 1,))[0]
        middle, made = time.perf_counter(), []
        for _ in range(tokens):
            made.append(int(scores.argmax()))
            scores = decoder.extend(made[-1:], (0,))[0]
        return middle - start, time.perf_counter() - middle, made

    return run


def llama_run(path: str, threads: int) -> Run:
    """llama.cpp on a GGUF file."""
    import llama_cpp
    import numpy as np

    model = llama_cpp.Llama(
        path, n_ctx=1024, n_threads=threads, n_threads_batch=threads, n_batch=512, verbose=False
    )
    size = model.n_vocab()

    def run(prompt: list[int], tokens: int) -> tuple[float, float, list[int]]:
        model.reset()
        start = time.perf_counter()
        model.eval(prompt)
        middle, made = time.perf_counter(), []
        for _ in range(tokens):
            scores = llama_cpp.llama_get_logits_ith(model.ctx, -1)
            made.append(int(np.ctypeslib.as_array(scores, (size,)).argmax()))
            model.eval(made[-1:])
        return middle - start, time.perf_counter() - middle, made

    return run


def transformers_run(path: str, threads: int) -> Run:
    """Transformers in float32, on a GGUF file's weights made real."""
    from pathlib import Path

    import torch

    from edgekit_export.sources.gguf.reader import open_gguf
    from edgekit_export.sources.text_reference import reference_model

    torch.set_num_threads(threads)
    model = reference_model(open_gguf(Path(path)))

    @torch.inference_mode()
    def run(prompt: list[int], tokens: int) -> tuple[float, float, list[int]]:
        start = time.perf_counter()
        found = model(torch.tensor([prompt]), use_cache=True, logits_to_keep=1)
        middle, made = time.perf_counter(), []
        for _ in range(tokens):
            made.append(int(found.logits[0, -1].argmax()))
            found = model(torch.tensor([made[-1:]]), past_key_values=found.past_key_values, use_cache=True)
        return middle - start, time.perf_counter() - middle, made

    return run


ENGINES = {"edgekit": edgekit_run, "llama": llama_run, "transformers": transformers_run}


def main() -> None:
    """Answers one line by one line."""
    engine, path, threads = sys.argv[1:]

    def start() -> Answer:
        run = ENGINES[engine](path, int(threads))

        def answer(asked: dict[str, Any]) -> dict[str, Any]:
            prefill_s, decode_s, made = run(asked["prompt"], asked["tokens"])
            return {"prefill_s": prefill_s, "decode_s": decode_s, "tokens": made}

        return answer

    serve(start)


if __name__ == "__main__":
    main()
