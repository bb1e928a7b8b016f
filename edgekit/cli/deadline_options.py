"""The options of ``edgekit camera`` that say how old a result may be."""

from __future__ import annotations

import argparse

from edgekit.cli.values import option, parse_duration
from edgekit.errors import UsageError


def add_deadline_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--deadline`` and ``--max-age``."""
    parser.add_argument(
        "--deadline",
        type=option(parse_duration),
        metavar="T",
        help="e.g. 100ms: later results are misses, and p95 is a gate",
    )
    parser.add_argument(
        "--max-age",
        type=option(parse_duration),
        metavar="T",
        help="a frame that waited longer is dropped as stale (default: one that is bound to miss the deadline)",
    )


def nanoseconds(milliseconds: float | None) -> int | None:
    """A duration as the loop takes it."""
    return None if milliseconds is None else max(round(milliseconds * 1e6), 1)


def max_age_ns(args: argparse.Namespace) -> int | None:
    """The longest wait that ``--max-age`` allows.

    Raises:
        UsageError: with ``--unpaced``, which promises every frame.
    """
    if args.max_age is not None and args.unpaced:
        raise UsageError("--max-age with --unpaced: unpaced files drop no frame", "give one of the two")
    return nanoseconds(args.max_age)
