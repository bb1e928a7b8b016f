"""The options that every command which runs a model shares."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edgekit.cli.values import option, parse_count
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.engines.protocol import EngineOptions

MAX_THREADS = 256


def parse_threads(text: str) -> int:
    """A number of threads.

    Raises:
        UsageError: none, or more than an engine takes.
    """
    count = parse_count(text)
    if count > MAX_THREADS:
        raise UsageError(f"threads: expected 1 to {MAX_THREADS}, got {count}")
    return count


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--threads``."""
    parser.add_argument(
        "--threads",
        type=option(parse_threads),
        metavar="N",
        help="threads inside one operator (default: cores, at most 4)",
    )


def engine_options(args: argparse.Namespace) -> EngineOptions:
    """The engine options that the arguments ask for."""
    from edgekit.engines.protocol import EngineOptions
    from edgekit.tasks.registry import default_threads

    return EngineOptions(threads=args.threads or default_threads())
