"""edgekit's quantiser beside others', on the same float graphs, calibration data and evaluation data.

    python benchmarks/quantisers.py efficientnet-lite0 --calib 'photos?crops=4' --eval 'others?crops=20' clip.mp4
    python benchmarks/quantisers.py fastestdet ppocr-v4-rec --weights fastestdet=FastestDet.onnx \\
        --calib fastestdet=photos --eval fastestdet=others --bundle ours.edge \\
        --nncf-python nncf-env/bin/python --tflite-python tflite-env/bin/python

Prints one table a network: full precision, edgekit's recipe, int8 throughout and float16, every variant of the bundles
given (each goes to the network of its name), and what onnxruntime, NNCF and ai-edge-quantizer make of the same graph.
Peers run in processes of their own; NNCF and ai-edge-quantizer in the interpreters given for them. All are measured by
the validator, against full precision: share of decisions that differ with its 95 % interval (by source; detectors: 1
- F1 against full precision's boxes with a score of 0.3), signal to noise of the graph's outputs, and the engine's
latency as a multiple of full precision's in the same turn. With true texts, also the rise of the error rate.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).resolve().parents[1])
)  # a script's own folder is there, its parent is not

from benchmarks.quantiser_peers.measure import measure
from benchmarks.quantiser_peers.network import open_network
from benchmarks.quantiser_peers.rows import Asked, rows_of
from benchmarks.quantiser_peers.table import Measured, markdown, report
from edgekit.bundle.reader import open_bundle
from edgekit.errors import EdgekitError, UsageError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the comparison and prints tables, or one JSON object a network."""
    args = _parser().parse_args(argv)
    try:
        bundles = _bundles(args.bundle, args.networks)
        for name in args.networks:
            found = compare(name, args, bundles[name])
            print(json.dumps(found) if args.json else markdown(found) + "\n", flush=True)
    except EdgekitError as error:
        print(f"quantisers: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def compare(name: str, args: argparse.Namespace, bundles: Sequence[Path]) -> dict:
    """One network's report."""
    calib, evaluation = (for_network(given, name, args.networks) for given in (args.calib, args.eval))
    weights = for_network(args.weights, name, args.networks)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgekit-quantisers-")))
        network = open_network(
            name,
            folder,
            Path(weights[0]) if weights else None,
            calib,
            evaluation,
            (args.calib_limit, args.eval_limit),
        )
        asked = Asked(
            patterns=args.rows,
            bundles=bundles,
            nncf_python=args.nncf_python,
            tflite_python=args.tflite_python,
            keep=(args.keep or folder / "keep") / name,
            timeout_s=args.timeout,
        )
        rows = list(rows_of(network, asked))
        running = [row for row in rows if not row.reason]
        figures = dict(
            zip((row.name for row in running), measure(network, running, args.rounds), strict=True)
        )
        measured: list[Measured] = [(row, figures.get(row.name)) for row in rows]
        return report(network, measured, args.rounds)


def for_network(given: Sequence[str], name: str, networks: Sequence[str]) -> list[str]:
    """What is given for one network: ``NAME=VALUE`` for it alone, a plain value for all of them."""
    chosen = []
    for text in given:
        start, mark, value = text.partition("=")
        if mark and start in networks:
            chosen += [value] if start == name else []
        else:
            chosen.append(text)
    return chosen


def _bundles(paths: Sequence[Path], networks: Sequence[str]) -> dict[str, list[Path]]:
    """Network → bundles of that name."""
    found: dict[str, list[Path]] = {name: [] for name in networks}
    for path in paths:
        name = open_bundle(path).manifest.name
        if name not in found:
            raise UsageError(f"--bundle {path}: is of {name!r}", f"name it among the networks: {name}")
        found[name].append(path)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = "or NETWORK=DATA; default: the network's own"
    parser.add_argument(
        "networks",
        nargs="*",
        default=["efficientnet-lite0"],
        metavar="NETWORK",
        help="in models/, of one graph",
    )
    parser.add_argument("--calib", nargs="+", default=[], metavar="DATA", help=data)
    parser.add_argument("--eval", nargs="+", default=[], metavar="DATA", help=data)
    parser.add_argument(
        "--weights", nargs="+", default=[], metavar="NETWORK=FILE", help="as edgekit export's"
    )
    parser.add_argument("--calib-limit", type=int, default=160, help="samples at most (default 160; 0: all)")
    parser.add_argument("--eval-limit", type=int, default=0, help="samples at most (default: all)")
    parser.add_argument(
        "--bundle", nargs="+", type=Path, default=[], metavar="FILE.edge", help="rows as they ship"
    )
    parser.add_argument(
        "--rows",
        nargs="+",
        default=["*"],
        metavar="PATTERN",
        help="only rows like 'NNCF *', and the bundles'",
    )
    parser.add_argument("--nncf-python", default="", metavar="PATH", help="an interpreter with NNCF")
    parser.add_argument(
        "--tflite-python",
        default="",
        metavar="PATH",
        help="one with edgekit-export[tflite], for ai-edge-quantizer",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what the peers make, and use it again")
    parser.add_argument(
        "--timeout", type=float, default=1800, metavar="S", help="for one recipe of a peer (default 1800)"
    )
    parser.add_argument("--rounds", type=int, default=100, help="turns of latency (default 100)")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
