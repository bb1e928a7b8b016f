"""What this machine can do, and what is missing for the rest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from edgekit.engines.registry import ENGINES, get_engine
from edgekit.errors import EnvironmentLacks

DEVICES = Path("/dev")
MIN_FREE_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        what: the thing.
        ok: it is there.
        detail: version, count or reason.
        remedy: how to get it, empty where it is there.
    """

    what: str
    ok: bool
    detail: str
    remedy: str = ""


def examine(
    cache: Path, devices: Path = DEVICES, has: Callable[[str], object | None] = find_spec
) -> list[Finding]:
    """Looks at engines, extras, cameras and space; runs nothing and changes nothing.

    Args:
        cache: the bundle cache, whose file system needs room.
        devices: the kernel's device folder; a test passes its own.
        has: tells whether a module is installed; a test passes its own.
    """
    return [
        *(_engine(name) for name in ENGINES),
        _extra("text models", ("tokenizers", "jinja2"), "edgekit[text]", has),
        _extra("recordings that are no WAV", ("soundfile",), "edgekit[sound]", has),
        _extra("models that resize with Pillow", ("PIL",), "edgekit[pillow]", has),
        _extra("reports", ("jinja2",), "edgekit[report]", has),
        _extra("metrics for Prometheus", ("prometheus_client",), "edgekit[preview]", has),
        _exporter(),
        _extra("torch networks as sources", ("torch", "onnxscript"), "edgekit-export[torch]", has),
        _extra(
            "models of the hub", ("transformers", "torch", "onnxscript"), "edgekit-export[transformers]", has
        ),
        _extra(
            "TFLite from torch networks", ("litert_torch", "ai_edge_quantizer"), "edgekit-export[tflite]", has
        ),
        _cameras(devices),
        _space(cache),
    ]


def _engine(name: str) -> Finding:
    try:
        return Finding(f"engine {name}", True, get_engine(name).version)
    except EnvironmentLacks as error:
        return Finding(f"engine {name}", False, error.message.removeprefix(f"engine {name}: "), error.remedy)


def _extra(what: str, modules: tuple[str, ...], package: str, has: Callable[[str], object | None]) -> Finding:
    missing = [module for module in modules if has(module) is None]
    if missing:
        pins = " -c tflite-constraints.txt, or make export-env" if package.endswith("[tflite]") else ""
        return Finding(what, False, f"missing: {', '.join(missing)}", f"pip install '{package}'{pins}")
    return Finding(what, True, ", ".join(modules))


def _exporter() -> Finding:
    if entry_points(group="edgekit.exporters", name="export"):
        return Finding("edgekit export", True, "edgekit-export")
    return Finding("edgekit export", False, "not installed", "pip install edgekit-export, on a workstation")


def _cameras(devices: Path) -> Finding:
    found = sorted(path.name for path in devices.glob("video*"))
    if found:
        return Finding("cameras", True, ", ".join(found))
    return Finding(
        "cameras", False, f"no {devices}/video*", "plug one in; video files and folders work without"
    )


def _space(cache: Path) -> Finding:
    existing = next(p for p in (cache, *cache.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1e9:.1f} GB free for the cache in {cache}"
    return Finding(
        "space", free >= MIN_FREE_BYTES, detail, "" if free >= MIN_FREE_BYTES else "free half a gigabyte"
    )
