"""The options of ``edgekit camera`` that say how long a live camera is waited for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edgekit.cli.values import option, parse_duration

if TYPE_CHECKING:
    from edgekit.camera.patience import Patience

NEVER = "never"
FROZEN_MS = 5000.0


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--source``, ``--reopen-for`` and ``--frozen``."""
    parser.add_argument("--source", required=True, metavar="SPEC", help="where frames come from; see below")
    parser.add_argument(
        "--reopen-for",
        type=option(parse_duration),
        metavar="T",
        help="a lost camera is opened again for so long, then the loop ends with exit code 3 (default: for ever)",
    )
    parser.add_argument(
        "--frozen",
        type=option(duration_or_never),
        default=FROZEN_MS,
        metavar="T",
        help="the same picture for so long is a frozen camera, opened again after twice that (default: 5s; never)",
    )


def patience(args: argparse.Namespace) -> Patience:
    """How long a live camera is waited for."""
    from edgekit.camera.patience import Patience

    seconds = (None if ms is None else ms / 1000 for ms in (args.frozen, args.reopen_for))
    frozen_s, give_up_s = seconds
    return Patience(frozen_s=frozen_s, give_up_s=give_up_s)


def duration_or_never(text: str) -> float | None:
    """Milliseconds of a duration, or ``None`` for ``never``.

    Raises:
        UsageError: neither.
    """
    return None if text == NEVER else parse_duration(text)
