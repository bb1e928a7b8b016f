"""What the engine's optimiser changes."""

from __future__ import annotations

import math

from edgekit.evaluation.origin import Stages
from edgekit_export.lint.warning import LintWarning

CHANGED_DB = 60.0
"""A change that leaves this much says nothing: sums in another order are near it."""


def optimiser_changes_result(stages: Stages) -> LintWarning | None:
    """The optimiser moves the output further than reducing the precision did."""
    bound = min(CHANGED_DB, _db(stages.reduction["none"].sqnr_db))
    changed = _db(stages.optimizer.sqnr_db)
    if changed >= bound:
        return None
    return LintWarning(
        "optimiser-changes-result",
        (),
        0,
        f"the engine's optimiser changes the result: {changed:.1f} dB with and without it, "
        f"expected {bound:.1f} dB or more",
        "look for a float layer that reads a DequantizeLinear: onnxruntime rounds its weights again",
    )


def _db(noise: float | None) -> float:
    """None is said of equal outputs."""
    return math.inf if noise is None else noise
