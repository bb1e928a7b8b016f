"""Task name → factory, and :func:`load`, which opens a bundle and gives its task object."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import cast

from edgekit.bundle.manifest import Manifest, Variant
from edgekit.bundle.reader import open_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.engines.registry import engine_for
from edgekit.errors import BundleError, UsageError
from edgekit.tasks.protocol import Task

TASKS: dict[str, str] = {
    "activity": "edgekit.tasks.activity:Activity",
    "classify": "edgekit.tasks.classify:Classify",
    "detect": "edgekit.tasks.detect:Detect",
    "embed": "edgekit.tasks.embed:Embed",
    "generate": "edgekit.tasks.generate:Generate",
    "ocr": "edgekit.tasks.ocr:Ocr",
    "transcribe": "edgekit.tasks.transcribe:transcriber",
    "vision_language": "edgekit.tasks.vision_language:VisionLanguage",
}
"""Task name → where its class is; imported when a bundle asks for it."""


def default_threads() -> int:
    """Threads inside one operator unless told otherwise: the cores this process may use, four at the most."""
    return min(len(os.sched_getaffinity(0)), 4)


def find_variant(manifest: Manifest, name: str | None) -> Variant:
    """The variant of that name, or the first one.

    Raises:
        UsageError: no such variant; the message lists them.
    """
    if name is None:
        return manifest.variants[0]
    for variant in manifest.variants:
        if variant.name == name:
            return variant
    raise UsageError(
        f"{manifest.name}: no variant {name!r}", f"choose from {', '.join(v.name for v in manifest.variants)}"
    )


def load(
    path: str | os.PathLike[str],
    variant: str | None = None,
    *,
    engine: str | None = None,
    options: EngineOptions | None = None,
) -> Task:
    """Opens a bundle and loads one variant of it.

    Args:
        path: the ``.edge`` file.
        variant: its name; the first of the manifest by default.
        engine: an engine's name; the model format's default engine otherwise.
        options: how the engine runs; :func:`default_threads` threads by default.

    Returns:
        The bundle's task object.

    Raises:
        BundleError: the bundle is damaged, or of a task that this version does not know.
        UsageError: no such variant or engine.
        ModelError: the engine refuses the model.
    """
    bundle = open_bundle(Path(path))
    chosen = find_variant(bundle.manifest, variant)
    return make_task(
        bundle.manifest.task, bundle.manifest.name, chosen, bundle.folder(), engine=engine, options=options
    )


def make_task(
    task: str,
    bundle_name: str,
    variant: Variant,
    folder: Path,
    *,
    engine: str | None = None,
    options: EngineOptions | None = None,
) -> Task:
    """Loads one variant from a folder that holds the members it names; see :func:`load`."""
    formats = {model.format for model in variant.models.values()}
    if len(formats) != 1:
        raise BundleError(
            f"variant {variant.name}: expected one model format, got {', '.join(sorted(formats))}"
        )
    if task not in TASKS:
        raise BundleError(
            f"{bundle_name}: task {task!r} is not known to this version of edgekit",
            f"tasks it knows: {', '.join(sorted(TASKS))}",
        )
    module, _, attribute = TASKS[task].partition(":")
    factory = getattr(import_module(module), attribute)
    chosen_engine = engine_for(formats.pop(), engine)
    return cast(
        Task,
        factory(
            bundle_name, variant, folder, chosen_engine, options or EngineOptions(threads=default_threads())
        ),
    )
