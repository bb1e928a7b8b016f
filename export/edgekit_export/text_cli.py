"""``edgekit export`` of a text model: its options, and the export itself."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.cli.engine_options import engine_options
from edgekit.cli.output import progress
from edgekit.cli.values import option, parse_count
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit_export.package import Package
    from edgekit_export.sources.text_source import TextSource
    from edgekit_export.variants import Format

TEXT_RECIPES = ("stored", "int8", "int4", "mixed")

_OTHERS: dict[str, object] = {
    "normalize": None,
    "input_size": None,
    "resize": None,
    "color": "rgb",
    "labels": None,
    "activation": "softmax",
    "task": None,
    "reference": None,
    "max_latency": None,
    "locked": None,
    "target": None,
}
"""Options that say nothing to a text model, with their defaults."""


def add_text_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options that only text models have."""
    text = parser.add_argument_group(
        "a language model: a .gguf file, or a folder or name of the hub (…ForCausalLM, Idefics3, SmolVLM)"
    )
    text.add_argument(
        "--context", type=option(parse_count), metavar="N",
        help="most tokens, of prompt and answer together (default: 2048, or what the model has)",
    )  # fmt: skip
    text.add_argument(
        "--vocabulary", action="append", default=[], metavar="DATA",
        help="texts: tokens that they do not need are dropped, with their rows of the embedding",
    )  # fmt: skip
    text.add_argument(
        "--keep-tokens",
        type=option(parse_count),
        metavar="N",
        help="with --vocabulary: most tokens that stay",
    )
    text.add_argument(
        "--image-size", type=option(_sizes), metavar="N",
        help="of a model that looks at pictures: sides of a tile in pixels, a variant each, the first one the default, "
        "e.g. 512,384 (default: its processor's)",
    )  # fmt: skip
    text.add_argument(
        "--requantize", action="store_true",
        help="of a GGUF file: round anew what a bundle cannot hold exactly",
    )  # fmt: skip


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(parse_count(part) for part in text.split(","))
    if len(set(sizes)) != len(sizes):
        raise UsageError(f"image size: got {text!r}", "write each size once, e.g. 512,384")
    return sizes


def text_source_of(args: argparse.Namespace) -> TextSource | None:
    """The text model that SOURCE names, or ``None``."""
    from edgekit_export.sources.text_source import text_source

    with progress(f"look into {args.source}"):
        return text_source(args.source, requantize=args.requantize, weights=args.weights)


def refuse_text_options(args: argparse.Namespace) -> None:
    """For a source that is no text model.

    Raises:
        UsageError: an option that only text models have.
    """
    given = [
        ("--context", args.context),
        ("--vocabulary", args.vocabulary),
        ("--keep-tokens", args.keep_tokens),
        ("--image-size", args.image_size),
    ]
    for name, value in (*given, ("--requantize", args.requantize)):
        if value:
            raise UsageError(f"{name}: {args.source} is no text model", "leave it out")


def check_recipes(recipes: Sequence[str] | None, known: Sequence[str], source: str) -> None:
    """Refuses a recipe that this kind of source does not have.

    Raises:
        UsageError: one of them is not known.
    """
    for name in recipes or ():
        if name not in known:
            raise UsageError(f"recipe {name}: not one of {source}'s", f"choose from {', '.join(known)}")


def export_text_of(args: argparse.Namespace, source: TextSource, formats: tuple[Format, ...]) -> Package:
    """Exports a text model as the command line says, in these formats.

    Raises:
        UsageError: an option that says nothing to it.
    """
    from edgekit_export.language.export import DEFAULT_CONTEXT, TextOptions, export_text

    for name, usual in _OTHERS.items():
        if getattr(args, name) != usual:
            raise UsageError(f"--{name.replace('_', '-')}: {args.source} is a text model", "leave it out")
    check_recipes(args.recipe, TEXT_RECIPES, args.source)
    if args.keep_tokens and not args.vocabulary:
        raise UsageError("--keep-tokens: without --vocabulary nothing is dropped", "add --vocabulary DATA")
    context = args.context or min(DEFAULT_CONTEXT, source.model.shape.context)
    options = TextOptions(
        recipes=tuple(args.recipe or ()),
        formats=formats,
        context=context,
        image_sizes=args.image_size or (),
        calibration=tuple(args.calib),
        evaluation=tuple(args.eval),
        vocabulary=tuple(args.vocabulary),
        keep_tokens=args.keep_tokens,
        max_size_bytes=args.max_size,
        max_drop=args.max_drop,
        limit=args.limit,
        engine=engine_options(args),
        source_options=_source_options(args, context),
    )
    return export_text(source, args.output, options, progress)


def _source_options(args: argparse.Namespace, context: int) -> dict[str, str]:
    """What the lock tells of the command line."""
    sizes = {} if args.image_size is None else {"image-size": ",".join(map(str, args.image_size))}
    return {"context": str(context), **sizes}
