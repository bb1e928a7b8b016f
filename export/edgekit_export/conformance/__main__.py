"""``python -m edgekit_export.conformance``: every family through export, run and validate, as a table."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from edgekit.bundle.atomic import replacing
from edgekit.machine import installed, this_machine
from edgekit_export.conformance.families import families
from edgekit_export.conformance.measure import measure
from edgekit_export.conformance.page import page

EPILOG = """\
examples:
  python -m edgekit_export.conformance -o docs/conformance.md
  python -m edgekit_export.conformance --only ViT --only BERT
  python -m edgekit_export.conformance --coco coco/ --weights FastestDet.onnx=fastestdet/FastestDet.onnx

Takes half an hour. TFLite needs what `make export-env` installs."""
TOOLS = ("edgekit", "onnxruntime", "torch", "transformers", "ai-edge-litert", "litert-torch")


def main() -> int:
    """Measures what was asked for; exit code 1 if a figure other than TFLite's is missing or falls short."""
    parser = _parser()
    args = parser.parse_args()
    known = families(args.coco, dict(args.weights))
    chosen = [family for family in known if not args.only or family.name in args.only]
    if not chosen:
        parser.error(f"--only: expected some of {', '.join(family.name for family in known)}")
    versions = ", ".join(f"{name} {version}" for name, version in installed(*TOOLS).items())
    rows = []
    for number, family in enumerate(chosen, 1):
        sys.stderr.write(f"{number} of {len(chosen)}: {family.name}\n")
        with tempfile.TemporaryDirectory(prefix="edgekit-conformance-") as folder:
            rows.append(measure(family, Path(folder), args.limit))
        text = page(rows, this_machine(), versions)
        if args.output is not None:  # what is measured stays, whatever comes
            with replacing(args.output) as file:
                file.write(text.encode())
    if args.output is None:
        sys.stdout.write(text)
    return 0 if all(row.whole for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edgekit_export.conformance",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="FAMILY", help="this family; repeatable"
    )
    parser.add_argument(
        "--coco", type=Path, metavar="DIR",
        help="train2017, val2017 and annotations, to judge models of pictures on; default: data of their recipes",
    )  # fmt: skip
    parser.add_argument(
        "--weights", action="append", default=[], type=_weights, metavar="NAME=PATH",
        help="a file that is in no package; repeatable",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, metavar="N", help="judge on at most N samples")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.md", help="default: standard output")
    return parser


def _weights(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"expected NAME=PATH, got {text!r}")
    return name, Path(path)


if __name__ == "__main__":
    sys.exit(main())
