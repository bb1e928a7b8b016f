"""All rules over the graphs of a variant, as they lie on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx

from edgekit.bundle.manifest import Variant
from edgekit.errors import ModelError
from edgekit.evaluation.origin import Stages
from edgekit_export.lint.lint import lint
from edgekit_export.lint.warning import LintWarning
from edgekit_export.target import Target


def lint_variant(
    variant: Variant, folder: Path, target: Target, stages: Mapping[str, Stages]
) -> dict[str, tuple[LintWarning, ...]]:
    """What the rules have to say of each graph; nothing of TFLite files.

    Args:
        variant: its manifest entry.
        folder: where its model files lie, their external data beside them.
        target: the processor.
        stages: role → what the export measured, as far as it did.
    """
    return {
        role: _of_file(folder / model.path, target, stages.get(role))
        for role, model in variant.models.items()
        if model.format == "onnx"
    }


def _of_file(path: Path, target: Target, stages: Stages | None) -> tuple[LintWarning, ...]:
    """A graph that cannot be looked into is one more thing to warn of: the variant has been measured, and runs."""
    try:
        return lint(onnx.load(path), target, stages)
    except ModelError as error:
        return (
            LintWarning("not-linted", (), 0, f"could not be looked into: {error}", "run it on the device"),
        )
