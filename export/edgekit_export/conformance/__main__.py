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
  python -m edgekit_export.conformance --photos coco/val2017 -o docs/conformance.md

Takes some minutes. TFLite needs what `make export-env` installs. Without --photos, models of real weights are judged
on the data that their recipes name, or on drawn pictures."""
TOOLS = ("edgekit", "onnxruntime", "torch", "transformers", "ai-edge-litert", "litert-torch")


def main() -> int:
    """Measures what was asked for; exit code 1 if a figure other than TFLite's is missing or falls short."""
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
        "--photos", type=Path, metavar="DIR", help="photos for models of pictures with real weights"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.md", help="default: standard output")
    args = parser.parse_args()
    chosen = [f for f in families(args.photos) if not args.only or f.name in args.only]
    if not chosen:
        parser.error(f"--only: expected some of {', '.join(f.name for f in families(args.photos))}")
    rows = []
    for number, family in enumerate(chosen, 1):
        sys.stderr.write(f"{number} of {len(chosen)}: {family.name}\n")
        with tempfile.TemporaryDirectory(prefix="edgekit-conformance-") as folder:
            rows.append(measure(family, Path(folder)))
    versions = ", ".join(f"{name} {version}" for name, version in installed(*TOOLS).items())
    text = page(rows, this_machine(), versions)
    if args.output is None:
        sys.stdout.write(text)
    else:
        with replacing(args.output) as file:
            file.write(text.encode())
    return 0 if all(row.whole for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
