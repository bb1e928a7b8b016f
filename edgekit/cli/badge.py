"""One line on a terminal that says what the model knows, before it answers: narrow models look like broad ones."""

from __future__ import annotations

import sys
from pathlib import Path

from edgekit.cli.output import say


def tell_badge(path: Path) -> None:
    """Says a bundle's badge on stderr, if that is a terminal; a pipe has the card in ``inspect --json``.

    Raises:
        BundleError: it is no bundle.
    """
    from edgekit.bundle.reader import open_bundle

    if sys.stderr is None or not sys.stderr.isatty():
        return
    card = open_bundle(path).card
    if card.badge:
        say(f"[{card.title}: {card.badge}]")
