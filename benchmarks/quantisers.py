"""edgekit's quantiser beside onnxruntime's, on the same float graph, calibration pictures and evaluation pictures.

    python benchmarks/quantisers.py efficientnet-lite0 --calib 'photos?crops=4' --eval 'others?crops=20' clip.mp4

Prints one row a recipe: bytes of the file, share of pictures whose best class differs from full precision's with
its 95 % interval (clustered by source picture), signal to noise of the scores, and latency as a multiple of full
precision's, taken in turns. onnxruntime's recipes are its three calibration methods with uint8 activations and int8
weights per channel (``quantize_static``, QDQ).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import onnx

from edgekit.bundle.manifest import ImageInput, Normalize
from edgekit.data.dataset import open_data
from edgekit.machine import this_machine
from edgekit.processing.preprocess import prepare
from edgekit.statistics.clusters import clustering
from edgekit.statistics.proportion import wilson
from edgekit_export.convert.serialize import to_bytes
from edgekit_export.convert.session import session_of
from edgekit_export.quantize import Recipe, quantize, recipe_from
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.sources.resolve import resolve
from edgekit_export.sources.source import SourceGraph
from edgekit_export.variants import full_precision

ORT_METHODS = ("MinMax", "Entropy", "Percentile")


@dataclass(frozen=True)
class Pictures:
    """Prepared inputs: ``(n, height, width, 3)`` uint8, and the source picture of each."""

    inputs: np.ndarray
    clusters: list[str]

    def feeds(self, name: str) -> list[dict[str, np.ndarray]]:
        """One batch a picture."""
        return [{name: picture[None]} for picture in self.inputs]


def read_pictures(specs: list[str], graph: SourceGraph, limit: int) -> Pictures:
    """Reads and prepares pictures as the bundle would."""
    data = open_data(tuple(specs), "classify", ())
    data = data.limited(limit) if limit else data
    uint8 = _uint8_input(graph)
    inputs, clusters = [], []
    for sample in data:
        inputs.append(prepare(sample.frame, uint8).tensor[0])
        clusters.append(sample.cluster)
    return Pictures(np.stack(inputs), clusters)


def _uint8_input(graph: SourceGraph) -> ImageInput:
    """The graph's input without the normalisation, which is folded into the graph."""
    ops = tuple(op for op in graph.spec.input.ops if not isinstance(op, Normalize))
    return msgspec.structs.replace(graph.spec.input, ops=ops, dtype="uint8", layout="nhwc")


def ort_static(full: onnx.ModelProto, pictures: Pictures, method: str) -> onnx.ModelProto:
    """onnxruntime's static quantisation of the same graph."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    class Reader:
        def __init__(self) -> None:
            self.feeds: Iterator = iter(pictures.feeds(full.graph.input[0].name))

        def get_next(self):
            return next(self.feeds, None)

    named = onnx.ModelProto()
    named.CopyFrom(full)
    for node in named.graph.node:
        node.name = f"node_{node.output[0]}"
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "full.onnx", Path(folder) / "int8.onnx"
        onnx.save(named, source)
        quantize_static(
            str(source),
            str(target),
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[method],
        )
        return onnx.load(target)


def scores(model: onnx.ModelProto, pictures: Pictures) -> np.ndarray:
    """``(n, classes)`` first output of every picture."""
    session = session_of(model)
    return np.concatenate([session.run(feed)[0] for feed in pictures.feeds(session.inputs[0].name)])


def latency_ratios(models: list[onnx.ModelProto], pictures: Pictures, rounds: int) -> list[float]:
    """Median time of each model as a multiple of the first one's, taken in turns."""
    sessions = [session_of(model) for model in models]
    feeds = pictures.feeds(sessions[0].inputs[0].name)
    times: list[list[float]] = [[] for _ in sessions]
    for i in range(rounds):
        for session, taken in zip(sessions, times, strict=True):
            start = time.perf_counter()
            session.run(feeds[i % len(feeds)])
            taken.append(time.perf_counter() - start)
    first = statistics.median(times[0])
    return [statistics.median(taken) / first for taken in times]


def disagreement(reference: np.ndarray, candidate: np.ndarray, clusters: list[str]) -> dict[str, object]:
    """Share of pictures whose best class differs, in percent, with its interval."""
    flips = (reference.argmax(axis=1) != candidate.argmax(axis=1)).astype(float)
    _, index = np.unique(clusters, return_inverse=True)
    sums, sizes = np.bincount(index, flips), np.bincount(index).astype(float)
    effective = clustering(sums, sums, sizes).effective_n()
    interval = wilson(flips.mean() * effective, effective)
    return {"percent": 100 * flips.mean(), "interval": [100 * interval.low, 100 * interval.high]}


def candidates(
    full: onnx.ModelProto, calibration: Pictures, recipe: Recipe
) -> Iterator[tuple[str, onnx.ModelProto]]:
    """Name and model of every recipe."""
    feeds = calibration.feeds(full.graph.input[0].name)
    yield f"edgekit {recipe.name}", quantize(full, feeds, recipe).model
    if recipe != Recipe():
        yield "edgekit, all layers int8", quantize(full, feeds, Recipe()).model
    for method in ORT_METHODS:
        yield f"onnxruntime {method}", ort_static(full, calibration, method)


def main(argv: list[str] | None = None) -> int:
    """Runs the comparison and prints a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="efficientnet-lite0", help="a classifier in models/")
    parser.add_argument("--calib", nargs="+", metavar="DATA", help="default: the model's own")
    parser.add_argument("--eval", nargs="+", metavar="DATA", help="default: the model's own")
    parser.add_argument(
        "--calib-limit", type=int, default=160, help="calibrate on at most so many (default 160)"
    )
    parser.add_argument("--rounds", type=int, default=100, help="latency runs of each model (default 100)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    source = resolve(args.source)
    graph = next(iter(source.graphs.values()))
    full = full_precision(graph)
    calibration = read_pictures(args.calib or list(source.calibration), graph, args.calib_limit)
    pictures = read_pictures(args.eval or list(source.evaluation), graph, 0)
    reference = scores(full, pictures)
    named = [("full precision", full), *candidates(full, calibration, recipe_from(graph.spec.quantize))]
    ratios = latency_ratios([model for _, model in named], pictures, args.rounds)
    rows = []
    for (name, model), ratio in zip(named, ratios, strict=True):
        found = scores(model, pictures)
        size = len(to_bytes(model)) if name.startswith(("edgekit", "full")) else model.ByteSize()
        noise = sqnr_db(reference, found)
        rows.append(
            {
                "recipe": name,
                "bytes": size,
                "disagreement": disagreement(reference, found, pictures.clusters),
                "sqnr_db": noise if np.isfinite(noise) else None,
                "latency_ratio": ratio,
            }
        )
    report = {
        "machine": this_machine().as_json(),
        "n": len(pictures.inputs),
        "clusters": len(set(pictures.clusters)),
        "calibration_n": len(calibration.inputs),
        "rows": rows,
    }
    print(json.dumps(report) if args.json else table(report))
    return 0


def table(report: dict) -> str:
    """The report as text."""
    lines = [
        f"n = {report['n']} of {report['clusters']} sources, calibrated on {report['calibration_n']}; "
        f"{report['machine']['model']}, {report['machine']['versions']}",
        f"{'recipe':28}{'bytes':>12}  {'disagreement % [95 %]':>26}{'SQNR dB':>9}{'latency':>9}",
    ]
    for row in report["rows"]:
        low, high = row["disagreement"]["interval"]
        share = f"{row['disagreement']['percent']:.2f} [{low:.2f}, {high:.2f}]"
        noise = "–" if row["sqnr_db"] is None else f"{row['sqnr_db']:.2f}"
        lines.append(
            f"{row['recipe']:28}{row['bytes']:>12,}  {share:>26}{noise:>9}{row['latency_ratio']:>9.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
