"""Tells, once for each kind and before much is built on it, that a bundle is used outside its card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli.output import say
from edgekit.types import Content, Frame, Generation, Result, TextRegions

if TYPE_CHECKING:
    from edgekit.bundle.manifest import Manifest, Variant


class Usage:
    """What a bundle was given so far, held against its card.

    Args:
        manifest: of the bundle.
        variant: the one that runs.
        then: of a language model that is given what the bundle reads.
    """

    def __init__(self, manifest: Manifest, variant: Variant, then: Usage | None = None) -> None:
        self._manifest = manifest
        self._variant = variant
        self._then = then
        self._told: set[str] = set()

    def text(self, text: str | None) -> None:
        """A text that the model is given, or that it read."""
        from edgekit.usage import language_warning

        if text and "language" not in self._told:
            self._tell("language", language_warning(self._manifest.card, text))

    def picture(self, size_wh: tuple[int, int] | None) -> None:
        """A picture that the model is given; ``None`` where its size is not known."""
        from edgekit.usage import shape_warning, size_warning

        if size_wh is None or 0 in size_wh:
            return
        known = (self._manifest, self._variant, size_wh)
        if (shape := shape_warning(*known)) is not None:
            self._tell("shape", shape)
        else:
            self._tell("size", size_warning(*known))

    def file(self, path: Path) -> None:
        """The same of a file."""
        if self._told.issuperset(("size", "shape")):
            return
        from edgekit.processing.picture_size import file_size_wh

        self.picture(file_size_wh(path))

    def done(self, given: Content | Path, result: Result) -> None:
        """An input, and what the model made of it: read text is looked at, an answer is not."""
        if isinstance(given, str):
            self.text(given)
        elif isinstance(given, Frame):
            self.picture(given.size_wh)
        elif isinstance(given, Path):
            self.file(given)
        read = result.text if isinstance(result, TextRegions) else None
        if isinstance(result, Generation) and result.finish is None:  # a transcript
            read = result.text
        self.text(read)
        if self._then is not None:
            self._then.text(read)

    def _tell(self, kind: str, sentence: str | None) -> None:
        if sentence is not None and kind not in self._told:
            self._told.add(kind)
            say(f"edgekit: warning: {self._manifest.card.title}: {sentence}")


def usage_of(args: argparse.Namespace) -> Usage:
    """Of the bundle that a command names, its ``--then`` and what is asked; the prompt is looked at here.

    Raises:
        BundleError: one of them is no bundle.
        UsageError: no such variant.
    """
    then = getattr(args, "then", None)
    behind = None if then is None else _opened(then, None)
    usage = _opened(args.bundle, args.variant, behind)
    (behind or usage).text(args.prompt)
    return usage


def _opened(path: Path, variant: str | None, then: Usage | None = None) -> Usage:
    from edgekit.bundle.reader import open_bundle
    from edgekit.tasks.registry import find_variant

    manifest = open_bundle(path).manifest
    return Usage(manifest, find_variant(manifest, variant), then)
