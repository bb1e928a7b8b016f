"""``edgekit export``: a model in, a bundle within its budget and its measured drop out."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from edgekit.cli.engine_options import add_engine_arguments, engine_options
from edgekit.cli.output import emit, progress
from edgekit.cli.values import format_size, option, parse_count, parse_drop, parse_duration, parse_size
from edgekit.errors import OutputError, UsageError
from edgekit.report.files import make_folder
from edgekit.report.page import require_html
from edgekit_export.lock_cli import asked_by, refuse_beside_lock, told_tools
from edgekit_export.report import report_package
from edgekit_export.target import TARGETS, target_of
from edgekit_export.text_cli import (
    TEXT_RECIPES,
    add_text_arguments,
    check_recipes,
    export_text_of,
    refuse_text_options,
    text_source_of,
)

if TYPE_CHECKING:
    from edgekit_export.package import Package
    from edgekit_export.quantize.precision import Precision
    from edgekit_export.sources.source import Source
    from edgekit_export.variants import Format

SUMMARY = "turns a model into a quantised bundle within limits of size, drop and latency, and measures it"
EPILOG = """\
examples:
  edgekit export ppocr-v4 -o ocr.edge --max-size 10MB --max-drop 3%
  edgekit export efficientnet-lite0 -o lite0.edge --calib photos/ --eval other-photos/
  edgekit export efficientnet-lite0 -o lite0.edge --recipe mixed --max-size 5MB --calib 'photos?crops=25'
  edgekit export model.onnx -o model.edge --normalize imagenet --labels labels.txt --calib photos/
  edgekit export google/vit-base-patch16-224 -o vit.edge --calib photos/ --eval other-photos/
  edgekit export person.tflite -o person.edge --labels labels.txt --resize stretch
  edgekit export mypackage.nets:build -o net.edge --input-size 224 --normalize 0to1 --calib photos/
  edgekit export efficientnet-lite0 -o lite0.edge --format both --calib photos/ --eval other-photos/
  edgekit export smollm2-135m -o smollm2.edge
  edgekit export model.gguf -o model.edge --context 4096
  edgekit export model.gguf -o small.edge --max-size 90MB --calib texts/ --eval other-texts/
  edgekit export efficientnet-lite0 -o again.edge --locked lite0.edge --calib photos/ --eval other-photos/

SOURCE is a name (see: edgekit models), a folder with recipe.toml and card.toml, an .onnx file, a .tflite file (it is
wrapped as it is), a .gguf file (docs/text-models.md), module:function giving a torch network, or a model of the
Hugging Face hub: a folder with config.json and safetensors, or owner/name[@revision] to fetch it
(docs/huggingface.md). Beside OUT.edge it writes OUT.reference.edge in full precision, to validate against.
DATA is a folder or file of pictures, texts or sounds, a video, a .csv or .jsonl table, or rendered:lines?n=2000;
photos?crops=14 takes several crops of each, notes.txt?by=line one text a line. A named model knows its own data.
What was calibrated on is never evaluated on.
With --max-size, --max-drop or --max-latency it delivers all, measured, or refuses: where int8 does not keep within
them, a width of weight is chosen for each layer (mixed: smaller or more accurate, in full precision's time; with
--max-latency some layers in int8 codes as well; docs/budget.md).
--locked takes source and data of the first export again, and refuses others (docs/reproducing.md).
exit code: 0 written; 1 refused, no bundle written: size, drop or latency does not hold (OUT.frontier.html and .png
draw what would be possible); or --locked gave other bytes."""

PRECISIONS = ("int8", "mixed", "fp16", "fp32")
DEFAULT_RECIPE: tuple[Precision, ...] = ("int8", "fp16")
FORMATS: dict[str, tuple[Format, ...]] = {
    "onnx": ("onnx",),
    "tflite": ("tflite",),
    "both": ("onnx", "tflite"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("source", metavar="SOURCE", help="what to export, see below")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.edge")
    parser.add_argument(
        "--max-size", type=option(parse_size), metavar="SIZE", help="of the whole file, e.g. 5MB"
    )
    parser.add_argument(
        "--max-drop",
        type=option(parse_drop),
        metavar="DROP",
        help="gate, e.g. 2%% (points; disagreement without labels)",
    )
    parser.add_argument(
        "--max-latency", type=option(parse_duration), metavar="TIME",
        help="of the graphs for one input, one call of each (OCR calls its recogniser once a line), e.g. 100ms: "
        "measured on this machine, or estimated for --target",
    )  # fmt: skip
    parser.add_argument(
        "--calib",
        action="append",
        default=[],
        metavar="DATA",
        help="what to calibrate on, of the kind that the model is given; 50 to 200 samples do",
    )
    parser.add_argument(
        "--eval",
        action="append",
        default=[],
        metavar="DATA",
        help="others to measure on, the more the better",
    )
    _add_making(parser)
    _add_bare(parser)
    add_text_arguments(parser)
    add_engine_arguments(parser)


def _add_making(parser: argparse.ArgumentParser) -> None:
    """What is made, by what, and what is told of it."""
    parser.add_argument(
        "--recipe", type=option(_precisions), metavar="R",
        help="variants to make, the default one first, of int8, mixed, fp16, fp32 (default: int8,fp16, and mixed "
        "where these do not keep within the limits; TFLite files are wrapped as they are); of a text model stored, "
        "int8, int4, mixed (default: a GGUF file's own codes as stored, else int8)",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=tuple(FORMATS),
        help="of the variants (default: onnx, of a TFLite file tflite); TFLite takes a torch network, and needs "
        "what make export-env installs, a text model, or a TFLite file",
    )  # fmt: skip
    parser.add_argument(
        "--resume", action=argparse.BooleanOptionalAction, default=True,
        help="use what an earlier export of the same model and data has measured, one that was killed too "
        "(default: yes)",
    )  # fmt: skip
    parser.add_argument("--limit", type=option(parse_count), metavar="N", help="measure on at most N samples")
    parser.add_argument(
        "--locked", type=Path, metavar="FILE.edge",
        help="make the model files of this bundle again, by the recipes in its lock, and compare them byte by byte",
    )  # fmt: skip
    parser.add_argument(
        "--target", choices=tuple(TARGETS),
        help="the processor that the bundle is for: warns of what is slow or inexact there (default: the one most "
        "like this machine's)",
    )  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="DIR", help="write the accuracy report there")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="PATH",
        help="the file of a named model whose weights are in no package, or the folder of one that is on the hub",
    )
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="FILE.tflite",
        help="the same network in float, to measure a quantised TFLite file against",
    )


def _add_bare(parser: argparse.ArgumentParser) -> None:
    """What a source says too little of."""
    bare = parser.add_argument_group(
        "an .onnx or .tflite file or a torch network; it is taken for pictures, and says little of them"
    )
    bare.add_argument(
        "--normalize", metavar="N", help="imagenet, minus1to1, 0to1, none, or mean/std as r,g,b/r,g,b"
    )
    bare.add_argument(
        "--input-size",
        type=option(parse_count),
        metavar="N",
        help="side of a square input; of a text model of the hub, its tokens",
    )
    bare.add_argument(
        "--task",
        choices=("classify", "detect"),
        help="default: what a TFLite file's outputs tell, else classify",
    )
    bare.add_argument(
        "--resize", choices=("crop", "stretch", "letterbox"), help="default: crop; of detectors, their kind's"
    )
    bare.add_argument("--color", choices=("rgb", "bgr"), default="rgb", help="channel order (default: rgb)")
    bare.add_argument("--labels", type=Path, metavar="FILE", help="one label a line")
    bare.add_argument("--activation", choices=("softmax", "sigmoid", "none"), default="softmax")


def _precisions(text: str) -> tuple[str, ...]:
    names, known = (
        tuple(part.strip() for part in text.split(",")),
        dict.fromkeys((*PRECISIONS, *TEXT_RECIPES)),
    )
    if not all(name in known for name in names) or len(set(names)) != len(names):
        raise UsageError(f"recipe: got {text!r}", f"write one or more of {', '.join(known)}, e.g. int8,fp16")
    return names


def check_output(path: Path) -> None:
    """Checks where the bundle will be written, before anything long starts.

    Raises:
        UsageError: another ending than ``.edge``.
        OutputError: no such folder, or something in the way.
    """
    if path.suffix != ".edge":
        raise UsageError(f"output {path}: expected a name ending in .edge")
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(
            f"output {path}: " + ("is a folder" if path.is_dir() else f"no folder {path.parent}")
        )


@contextmanager
def ends_cleanly() -> Iterator[None]:
    """Inside the block SIGTERM ends as Ctrl-C does, so that temporary folders go."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run(args: argparse.Namespace) -> int:
    """Exports and prints what came of it."""
    with ends_cleanly():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    check_output(args.output)
    if args.report is not None:
        require_html()
        make_folder(args.report)
    text = text_source_of(args)
    if text is not None:
        return _told(args, export_text_of(args, text, FORMATS[args.format or "onnx"]))
    refuse_text_options(args)
    check_recipes(args.recipe, PRECISIONS, args.source)
    return _run_graphs(args)


def _run_graphs(args: argparse.Namespace) -> int:
    """Of all sources but text models."""
    from edgekit.bundle.reader import open_bundle
    from edgekit_export.lock import weights_of
    from edgekit_export.locked import open_locked
    from edgekit_export.pipeline import export
    from edgekit_export.reproduction import reproduction
    from edgekit_export.sources.bare import BareInput
    from edgekit_export.sources.resolve import check_converter, resolve
    from edgekit_export.sources.tflite_source import with_twin
    from edgekit_export.work import ExportOptions

    bare = BareInput(
        args.normalize, args.input_size, args.resize, args.color, args.labels, args.activation, args.task
    )
    check_converter(args.source, args.format)
    locked, tools = None, ()
    if args.locked is not None:
        refuse_beside_lock(args)
        locked = open_locked(args.locked)
        bare, tools = locked.bare(args.labels), told_tools(locked)
    with progress(f"load {args.source}"):
        source = resolve(args.source, bare, args.weights)
        if args.reference is not None:
            source = with_twin(source, args.reference, bare.normalize)
    wanted, recipe = (args.format, args.recipe) if locked is None else asked_by(locked, FORMATS)
    source, formats, precisions = as_asked(source, wanted, recipe)
    if locked is not None:
        locked.check_weights(weights_of(source))
    limit = args.limit if locked is None else locked.limit
    options = ExportOptions(
        precisions=precisions,
        formats=formats,
        calibration=tuple(args.calib),
        evaluation=tuple(args.eval),
        max_size_bytes=args.max_size,
        max_latency_ms=args.max_latency,
        max_drop=args.max_drop,
        limit=limit,
        thumbnails=args.report is not None,
        engine=engine_options(args),
        source_options=bare.options() | ({} if limit is None else {"limit": str(limit)}),
        locked=locked,
        search=recipe is None,
        resume=args.resume,
        target=None if args.target is None else target_of(args.target),
    )
    package = export(source, args.output, options, progress)
    if locked is None:
        return _told(args, package)
    made = open_bundle(package.path).manifest if package.written else None
    same = reproduction(locked.manifest, made, tools)
    found = {**package.as_json(), "report": _reports(args, package)}
    emit(args, found | same.as_json(), describe(package, str(same)))
    return 0 if same.holds else 1


def _told(args: argparse.Namespace, package: Package) -> int:
    """Reports and prints what came of an export; the exit code."""
    emit(args, {**package.as_json(), "report": _reports(args, package)}, describe(package))
    return 0 if package.written else 1


def _reports(args: argparse.Namespace, package: Package) -> dict[str, str]:
    """Kind → file of the accuracy report, where one was asked for."""
    if args.report is None:
        return {}
    made = report_package(package, args.report, engine_options(args), progress)
    return {kind: str(path) for kind, path in made.items()}


def as_asked(
    source: Source, wanted: str | None, recipe: tuple[Precision, ...] | None
) -> tuple[Source, tuple[Format, ...], tuple[Precision, ...]]:
    """Source, formats and precisions: a TFLite file is wrapped as it is unless ONNX is asked for.

    Raises:
        UsageError: precisions of a file that is only wrapped, or ONNX of one that is quantised.
        ModelError: a file has operators that are not converted.
    """
    from edgekit_export.sources.tflite_source import as_onnx, check_recipe

    formats = FORMATS[wanted or ("tflite" if source.files else "onnx")]
    if not source.files:
        return source, formats, recipe or DEFAULT_RECIPE
    if "onnx" in formats:
        return as_onnx(source), formats, recipe or DEFAULT_RECIPE
    if recipe is not None:
        check_recipe(source, recipe)
    return source, formats, ()


def describe(package: Package, more: str = "") -> Any:  # noqa: ANN401 (a rich renderable)
    """The outcome as a table for a person, and what more there is to say below it."""
    from rich.table import Table
    from rich.text import Text

    table = Table(
        "variant",
        "bytes",
        "of full precision",
        "time",
        "drop [95 %]",
        "agreement",
        "SQNR",
        "verdict",
        box=None,
        show_header=bool(rows := package.rows()),
    )
    for row in rows:
        table.add_row(*row)
    headline = (
        f"wrote {package.path} ({format_size(package.size_bytes)})"
        + (f" and {package.reference_path}" if package.reference_path else "")
        if package.written
        else f"refused: {package.refusal}"
    )
    ways = [] if package.way_out is None else package.way_out.sentences(package.limits)
    drawn = " and ".join(str(path) for path in package.plots.values())
    lines = (
        headline,
        *ways,
        f"frontier drawn in {drawn}" if drawn else "",
        package.remark,
        *package.warnings,
        more,
    )
    caption = "\n".join(filter(None, lines))
    table.caption, table.caption_justify = Text(caption), "left"
    return table
