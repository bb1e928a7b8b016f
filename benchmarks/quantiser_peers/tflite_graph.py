"""A named network as a float TFLite graph, by edgekit's converter: what ai-edge-quantizer is given."""

from __future__ import annotations

import sys
from pathlib import Path

from edgekit.cli.output import progress
from edgekit_export.sources.resolve import resolve
from edgekit_export.variants import full_precision_of


def main(name: str, out: str) -> int:
    """Writes the float graph of a network with one graph."""
    ((_, data),) = full_precision_of(resolve(name).graphs, ("tflite",), progress).tflite.items()
    Path(out).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
