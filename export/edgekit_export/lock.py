"""What a bundle was made from, so that it can be made again."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from edgekit.bundle.manifest import Lock
from edgekit.data.dataset import Dataset, digest_starts
from edgekit.machine import installed, this_machine
from edgekit_export.language.plans import TextRecipe
from edgekit_export.quantize.precision import Precision
from edgekit_export.quantize.recipe import Recipe, recipe_table
from edgekit_export.sources.source import Source, without_folders
from edgekit_export.sources.text_model import TextModel
from edgekit_export.sources.tflite_file import AS_IT_IS
from edgekit_export.variants import Format

_TOOLS = (
    "edgekit",
    "edgekit-export",
    "numpy",
    "onnx",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
)
_TFLITE_TOOLS = ("ai-edge-litert", "ai-edge-quantizer", "litert-torch")


def make_lock(
    source: Source,
    precisions: tuple[Precision, ...],
    formats: tuple[Format, ...],
    calibration: Dataset | None,
    evaluation: Dataset | None,
    recipes: Mapping[str, Mapping[str, Recipe]],
    options: Mapping[str, str],
) -> Lock:
    """The lock of an export: digests of weights and data, the recipe, and the versions of what computed.

    Args:
        source: what was exported.
        precisions: the variants that were asked for, in order.
        formats: in which each was asked for.
        calibration: what it was calibrated on, if it was.
        evaluation: what the drop was measured on, if it was.
        recipes: variant → role → recipe as applied.
        options: as :class:`edgekit.bundle.manifest.Lock` has them.
    """
    return Lock(
        source=without_folders(source.origin),
        weights=weights_of(source),
        recipe=_recipe(precisions, formats),
        tools=tools_here(formats),
        precisions=precisions,
        formats=formats,
        recipes={
            variant: {role: recipe_table(recipe) for role, recipe in roles.items()}
            for variant, roles in recipes.items()
            if roles
        },
        options=dict(options),
        cpu_features=this_machine().features,
        **_data_of(calibration, evaluation),
    )


def _data_of(calibration: Dataset | None, evaluation: Dataset | None) -> dict[str, Any]:
    """Fields of the lock that tell of data."""
    return {
        "calibration_sha256": calibration.sha256 if calibration else None,
        "calibration_n": len(calibration) if calibration else 0,
        "calibration_sources": digest_starts(calibration.digests) if calibration else (),
        "evaluation_sha256": evaluation.sha256 if evaluation else None,
        "evaluation_n": len(evaluation) if evaluation else 0,
    }


def text_lock(
    model: TextModel,
    recipes: tuple[TextRecipe, ...],
    formats: tuple[Format, ...],
    calibration: Dataset | None,
    evaluation: Dataset | None,
    options: Mapping[str, str],
) -> Lock:
    """The lock of a text model's export; arguments as :func:`make_lock` has them."""
    return Lock(
        source=without_folders(model.origin),
        weights={"model": model.sha256},
        recipe=",".join(recipes),
        tools=tools_here(formats),
        precisions=recipes,
        formats=formats,
        options=dict(options),
        cpu_features=this_machine().features,
        **_data_of(calibration, evaluation),
    )


def tools_here(formats: tuple[Format, ...]) -> dict[str, str]:
    """Versions of what computes an export to these formats, on this machine."""
    tools = (*_TOOLS, *_TFLITE_TOOLS) if "tflite" in formats else _TOOLS
    return {"python": platform.python_version(), **installed(*tools)}


def weights_of(source: Source) -> dict[str, str]:
    """Digests of what the weights came from, and of a twin that the drop was measured against."""
    found = {role: graph.sha256 for role, graph in source.graphs.items()}
    found |= {role: graph.file.sha256 for role, graph in source.files.items()}
    found |= {f"{role}, full precision": graph.file.sha256 for role, graph in source.twin.items()}
    return dict(sorted(found.items()))


def _recipe(precisions: tuple[Precision, ...], formats: tuple[Format, ...]) -> str:
    """In words; without a precision, files were wrapped."""
    if not precisions:
        return AS_IT_IS
    return ",".join(precisions) + ("" if formats == ("onnx",) else f" as {','.join(formats)}")
