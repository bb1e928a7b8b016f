"""``edgekit verify``: every byte of a bundle, checked."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgekit.bundle.reader import open_bundle
from edgekit.cli.output import emit, progress
from edgekit.cli.values import format_size

SUMMARY = "checks every byte of a bundle: structure, hashes, models, signature"
EPILOG = """\
examples:
  edgekit verify lite0.edge          exit 0 if it is whole; exit 2 and one line that says what is wrong if not
  edgekit verify lite0.edge --json   members, bytes and the bundle's id, for scripts

The id is the SHA-256 of manifest.json, which holds the SHA-256 of every other member: two bundles with the same id
hold the same models, text and evidence. Whether this device computes what was measured is another question:
edgekit selftest answers it."""

_PROGRESS_BYTES = 1 << 26  # less than this takes no time worth showing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .edge file")


def run(args: argparse.Namespace) -> int:
    """Verifies a bundle and prints what was gone through."""
    bundle = open_bundle(args.bundle)
    if bundle.size_bytes < _PROGRESS_BYTES:
        done = bundle.verify()
    else:
        with progress(
            f"verifying {bundle.path.name}", sum(file.size for file in bundle.manifest.files)
        ) as advance:
            done = bundle.verify(advance)
    obj = {
        "bundle": str(bundle.path),
        "name": bundle.manifest.name,
        "ok": True,
        "members": done.members,
        "bytes": done.size_bytes,
        "id": done.id,
        "signed": done.signed,
        "signature": "not checked" if done.signed else "not signed",
    }
    signature = "signed, signature not checked" if done.signed else "not signed"
    size = f"{format_size(done.size_bytes)} ({done.size_bytes:,} bytes)"
    emit(
        args, obj, f"{bundle.manifest.name}: whole\n{done.members} members, {size}\nid {done.id}\n{signature}"
    )
    return 0
