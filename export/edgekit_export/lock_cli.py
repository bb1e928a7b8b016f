"""``edgekit export --locked``: what a lock answers in place of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgekit.cli.output import say
from edgekit.errors import BundleError, UsageError

if TYPE_CHECKING:
    from edgekit_export.locked import Locked
    from edgekit_export.quantize.precision import Precision
    from edgekit_export.reproduction import Tool
    from edgekit_export.variants import Format

_LOCK_SAYS: dict[str, Any] = {
    "recipe": None,
    "format": None,
    "max_size": None,
    "limit": None,
    "normalize": None,
    "input_size": None,
    "task": None,
    "resize": None,
    "color": "rgb",
    "activation": "softmax",
}
"""Options that a lock answers, with their defaults."""


def refuse_beside_lock(args: argparse.Namespace) -> None:
    """A lock says by itself how files are made; what is made of other files, or measured, is still to be said.

    Raises:
        UsageError: an option that the lock answers, or its own file as what shall be written.
    """
    written = args.output, args.output.with_suffix(".reference.edge")
    if args.locked.resolve() in (path.resolve() for path in written):
        raise UsageError(f"--locked {args.locked}: would be written over", "give another name with -o")
    for name, usual in _LOCK_SAYS.items():
        if getattr(args, name) != usual:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} beside --locked: the lock of {args.locked} says it", "leave it out")


def told_tools(locked: Locked) -> tuple[Tool, ...]:
    """The tools that have other versions than the lock's; they may make other bytes, so they are told at once."""
    from edgekit_export.lock import tools_here
    from edgekit_export.reproduction import other_tools

    found = other_tools(locked.lock.tools, tools_here(locked.lock.formats))
    if found:
        say(f"warning: other tools than the lock's, which may make other bytes: {', '.join(map(str, found))}")
    return found


def asked_by(
    locked: Locked, formats: Mapping[str, tuple[Format, ...]]
) -> tuple[str, tuple[Precision, ...] | None]:
    """``--format`` and ``--recipe`` as they were when the lock was made.

    Args:
        locked: the lock.
        formats: value of ``--format`` → formats of each variant.

    Raises:
        BundleError: no value of ``--format`` gives these formats.
    """
    lock = locked.lock
    known = {each: name for name, each in formats.items()}
    if lock.formats not in known:
        raise BundleError(f"{locked.path}: lock: formats: got {', '.join(lock.formats)}", "export it again")
    return known[lock.formats], lock.precisions or None
