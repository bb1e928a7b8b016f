"""``edgekit doctor``: what this machine can do."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from edgekit.cli.output import emit

SUMMARY = "tells what this machine can do, and what is missing"
EPILOG = """\
examples:
  edgekit doctor

What is missing is only a fault if you want it: a device needs neither the exporter nor torch."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares no arguments of its own."""


def run(args: argparse.Namespace) -> int:
    """Prints the machine and what was found."""
    from rich.table import Table
    from rich.text import Text

    from edgekit.bundle.cache import cache_root
    from edgekit.doctor import examine
    from edgekit.machine import this_machine

    machine = this_machine()
    findings = examine(cache_root())
    table = Table("", "", "", "", box=None, show_header=False, caption=str(machine), caption_justify="left")
    for f in findings:
        cells = ("yes" if f.ok else "no", f.what, f.detail, f.remedy)
        table.add_row(*map(Text, cells))  # as text: square brackets, as of an extra, are no markup
    emit(args, {"machine": machine.as_json(), "findings": [asdict(f) for f in findings]}, table)
    return 0
