"""A tower and its connector in several widths beside transformers in float32, in turns: parity, time, bytes, noise.

    python -m benchmarks.vision_language.smolvlm smolvlm/              # or a folder of SmolVLM from the hub
    python -m benchmarks.vision_language.encode smolvlm/ --sizes 512 384 256

Weights are rounded to the nearest; ratios are of each turn, their median is told.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForImageTextToText

from edgekit.engines.onnxruntime import OnnxRuntimeEngine
from edgekit.engines.protocol import EngineOptions
from edgekit.types import F32, Array
from edgekit_export.architectures.vision import POSITION
from edgekit_export.quantize.tiered import TieredFormat, round_tiered
from edgekit_export.sources.eyes import Eyes
from edgekit_export.sources.text_source import text_source
from edgekit_export.vision.graph import ReadVision
from edgekit_export.vision.product import VisionWeight
from edgekit_export.vision.write import vision_file, write_vision

Encode = Callable[[F32], Array]


def coded(eyes: Eyes, bits: int) -> ReadVision:
    """All matrices in one width."""

    def read(name: str) -> VisionWeight:
        found = eyes.read(name)
        if found.ndim == 1:
            return found
        if name == POSITION:
            return found.astype(np.float16)
        return round_tiered(found.reshape(len(found), -1), TieredFormat(bits))

    return read


def ours(folder: Path, size: int, threads: int) -> Encode:
    """By the engine that ships."""
    session = OnnxRuntimeEngine().load(folder / vision_file(size), EngineOptions(threads=threads))
    return lambda pixels: session.run({"pixel_values": pixels})[0]


def theirs(folder: Path) -> Encode:
    """By transformers."""
    network = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval().model

    def encode(pixels: F32) -> Array:
        with torch.no_grad():
            tower = network.vision_model(torch.from_numpy(pixels)).last_hidden_state
            found: Array = network.connector(tower).numpy()
            return found

    return encode


def main() -> None:
    """Measures and prints a table for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[512])
    parser.add_argument("--bits", type=int, nargs="+", default=[8, 4])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    source = text_source(str(args.folder))
    if source is None or source.model.eyes is None:
        parser.error(f"{args.folder}: expected a folder of a vision-language model")
    eyes, reference = source.model.eyes, theirs(args.folder)
    with tempfile.TemporaryDirectory() as kept:
        made = {"float32": eyes.read, **{f"{bits} bits": coded(eyes, bits) for bits in args.bits}}
        for name, read in made.items():
            (Path(kept) / name).mkdir()
            write_vision(Path(kept) / name, eyes.shape, args.sizes, read)
        for size in args.sizes:
            encoders = {name: ours(Path(kept) / name, size, args.threads) for name in made}
            compare(size, reference, encoders, args.turns)
        for name in made:
            total = sum(path.stat().st_size for path in (Path(kept) / name).iterdir())
            print(f"{name}: {total / 1e6:.1f} MB for all sizes")


def compare(size: int, reference: Encode, encoders: dict[str, Encode], turns: int) -> None:
    """One size's rows."""
    pixels = np.random.default_rng(size).uniform(-1, 1, (1, 3, size, size)).astype(np.float32)
    wanted = reference(pixels)
    found = {name: encode(pixels) for name, encode in encoders.items()}
    times: dict[str, list[float]] = {name: [] for name in ("transformers", *encoders)}
    for _ in range(turns):
        for name, encode in {"transformers": reference, **encoders}.items():
            start = time.perf_counter()
            encode(pixels)
            times[name].append(time.perf_counter() - start)
    for name, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(taken, times["transformers"], strict=True))
        row = f"{size} px  {name:14} {statistics.median(taken) * 1e3:7.0f} ms  {ratio:.3f}"
        if name in found:
            missed = found[name] - wanted
            noise = 10 * np.log10(np.square(wanted).sum() / np.square(missed).sum())
            row += f"  largest difference {np.abs(missed).max():.1e}, {noise:.1f} dB"
        print(row, flush=True)


if __name__ == "__main__":
    main()
