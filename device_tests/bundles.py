"""Bundles to run on devices.

One is made here: its int8 variant holds every form that must be exact. Others are what the exporter makes of real
models, without what makes it slow: here their arithmetic counts, not their accuracy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from device_tests import graphs
from edgekit.bundle.manifest import (
    Card,
    ClassHead,
    Golden,
    ImageInput,
    Lock,
    Manifest,
    Model,
    ResizeShorter,
    ResizeStretch,
    Variant,
)
from edgekit.bundle.writer import write_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.tasks.registry import make_task
from edgekit_export.golden import draw_scene, golden_inputs, record
from edgekit_export.language.export import TextOptions, export_text
from edgekit_export.pipeline import export
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.gguf.reader import open_gguf
from edgekit_export.sources.resolve import resolve
from edgekit_export.sources.text_source import TextSource, text_source
from edgekit_export.work import ExportOptions

LABELS = "assets/labels.txt"
NETWORKS = {"int8": graphs.classifier, "fp32": graphs.float_classifier}


def write_forms(
    path: Path, folder: Path, change: Callable[[Golden], Golden] = lambda golden: golden
) -> tuple[str, ...]:
    """Writes a classifier with an int8 variant, which must be exact, and one in full precision.

    Args:
        path: the bundle.
        folder: for its members; made here.
        change: alters golden entries before they are written, for a control.

    Returns:
        The variants' names.
    """
    (folder / "assets").mkdir(parents=True)
    (folder / LABELS).write_text("".join(f"class {i}\n" for i in range(graphs.CLASSES)), encoding="utf-8")
    variants = tuple(_variant(precision, folder) for precision in NETWORKS)
    members: dict[str, bytes | Path] = {LABELS: folder / LABELS}
    members |= {model.path: folder / model.path for v in variants for model in v.models.values()}
    tasks = [make_task("classify", "forms", v, folder, options=EngineOptions(threads=1)) for v in variants]
    pictures = golden_inputs(tasks[0], draw_scene, n=2)
    golden: list[Golden] = []
    for variant, task in zip(variants, tasks, strict=True):
        entries, probes = record(task, variant, pictures, exact={"model": variant.precision == "int8"})
        golden += map(change, entries)
        members |= probes
    write_bundle(path, _manifest(variants, tuple(golden)), members)
    return tuple(variant.name for variant in variants)


def export_quickly(
    name: str,
    path: Path,
    calibration: tuple[str, ...],
    evaluation: tuple[str, ...],
    quantize: Mapping[str, Any],
) -> None:
    """Exports the int8 variant of a named model in seconds: weights rounded one by one, few samples.

    Args:
        name: in ``models/``.
        path: the bundle.
        calibration: ``--calib`` specifications, or none for the model's own.
        evaluation: the same for ``--eval``.
        quantize: what its recipe shall say instead of its own.

    Raises:
        EnvironmentLacks: its weights cannot be had here.
    """
    source = resolve(name, BareInput())
    graphs_ = {
        role: dataclasses.replace(graph, spec=_quick(graph.spec, quantize))
        for role, graph in source.graphs.items()
    }
    options = ExportOptions(
        precisions=("int8",),
        calibration=calibration,
        evaluation=evaluation,
        limit=4,
        engine=EngineOptions(threads=2),
    )
    package = export(dataclasses.replace(source, graphs=graphs_), path, options, _silent)
    if not package.written:
        raise RuntimeError(f"{name}: {package.refusal}")


def export_folder(folder: Path, path: Path) -> Path:
    """Exports int8 and full precision of a model that needs no data.

    Args:
        folder: as the Hugging Face hub has them.
        path: the bundle.

    Returns:
        ``path``.
    """
    options = ExportOptions(precisions=("int8", "fp32"), engine=EngineOptions(threads=2))
    package = export(resolve(str(folder), BareInput()), path, options, _silent)
    assert package.written, package.refusal
    return path


def export_checkpoint(file: Path, path: Path) -> Path:
    """Exports a language model's GGUF file in the codes that it has.

    Args:
        file: the checkpoint.
        path: the bundle; its reference lies beside it.

    Returns:
        ``path``.
    """
    options = TextOptions(context=128, engine=EngineOptions(threads=2))
    package = export_text(TextSource(open_gguf(file)), path, options, _silent)
    assert package.written, package.refusal
    return path


def export_shapes(path: Path) -> Path:
    """Exports int8 of the vision-language model of our own, whose weights are in `models/`, as ONNX and as TFLite.

    Args:
        path: the bundle; its reference lies beside it.

    Returns:
        ``path``.

    Raises:
        EnvironmentLacks: what reads checkpoints is not installed here.
    """
    source = text_source("shapes-vlm")
    assert source is not None
    options = TextOptions(
        recipes=("int8",), formats=("onnx", "tflite"), context=128, engine=EngineOptions(threads=2)
    )
    package = export_text(source, path, options, _silent)
    assert package.written, package.refusal
    return path


def _quick(spec: SourceModel, quantize: Mapping[str, Any]) -> SourceModel:
    hurried = {"rounding": "nearest", "correct_bias": False, "keep_below_db": 0.0}
    return replace(spec, quantize={**spec.quantize, **hurried, **quantize})


@contextmanager
def _silent(_description: str, _total: int | None = None) -> Iterator[Callable[..., None]]:
    yield lambda *_args, **_kwargs: None


def spoil(golden: Golden) -> Golden:
    """The entry with another digest: what a device computes is then no longer equal to the bit."""
    return replace(golden, expected=tuple(replace(e, sha256=e.sha256[::-1]) for e in golden.expected))


def _variant(precision: str, folder: Path) -> Variant:
    path = f"{precision}/model.onnx"
    (folder / precision).mkdir()
    (folder / path).write_bytes(NETWORKS[precision]().SerializeToString(deterministic=True))
    model = Model(
        path=path,
        format="onnx",
        input=ImageInput("image", (ResizeShorter(48), ResizeStretch(graphs.SIDE, graphs.SIDE)), "rgb"),
        head=ClassHead("logits", LABELS, "softmax"),
    )
    size = (folder / path).stat().st_size
    return Variant(precision, "device_tests", precision, {"model": model}, size)


def _manifest(variants: tuple[Variant, ...], golden: tuple[Golden, ...]) -> Manifest:
    return Manifest(
        format="edgekit-bundle",
        version=1,
        name="forms",
        task="classify",
        files=(),
        variants=variants,
        card=Card(
            "Forms", "classify", "none", (), "any", ("tell anything",), "Apache-2.0", "device_tests", 1
        ),
        lock=Lock("device_tests", {}, "device_tests", None, 0, None, 0, {}),
        golden=golden,
    )
