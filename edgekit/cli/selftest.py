"""``edgekit selftest``: golden vectors on this device."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgekit.cli.engine_options import add_engine_arguments, engine_options
from edgekit.cli.output import emit

SUMMARY = "proves that this device computes what the exporter measured"
EPILOG = """\
examples:
  edgekit selftest lite0.edge                  all variants
  edgekit selftest lite0.edge --variant int8   one of them

Each bundle carries a few inputs with the outputs they gave when it was exported. "exact" means equal to the
bit; otherwise differences must stay within what the bundle allows, and the decision must be the same.
exit code: 0 all variants hold, 1 one does not."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="an .edge file")
    parser.add_argument("--variant", metavar="V", help="only this variant (default: all)")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the golden inputs and prints what came of them."""
    from rich.table import Table

    from edgekit.selftest import selftest

    results = selftest(args.bundle, args.variant, options=engine_options(args))
    table = Table("variant", "input", "result", "max difference", "allowed", "margin", box=None)
    for result in results:
        for o in result.outcomes:
            verdict = o.problem or ("equal to the bit" if o.exact else "within tolerance")
            table.add_row(
                result.variant,
                o.input,
                verdict,
                f"{o.max_abs:.3g}",
                f"{o.allowed:.3g}",
                "" if o.margin is None else f"{o.margin:.3g}",
            )
    ok = all(result.ok for result in results)
    variants = [
        {
            "name": r.variant,
            "ok": r.ok,
            "exact": all(o.exact for o in r.outcomes),
            "engine": r.engine,
            "threads": r.threads,
            "golden": [o.as_json() for o in r.outcomes],
        }
        for r in results
    ]
    emit(args, {"bundle": str(args.bundle), "ok": ok, "variants": variants}, table)
    return 0 if ok else 1
