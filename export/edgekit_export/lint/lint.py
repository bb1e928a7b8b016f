"""All rules over one graph."""

from __future__ import annotations

from collections.abc import Callable

import onnx

from edgekit.evaluation.origin import Stages
from edgekit_export.convert.graph import GraphView
from edgekit_export.convert.kernel_names import name_nodes
from edgekit_export.convert.session import optimized
from edgekit_export.lint.integer import (
    dynamic_convolution,
    missing_accuracy_level,
    saturating_u8s8,
    slow_s8s8,
)
from edgekit_export.lint.optimiser import optimiser_changes_result
from edgekit_export.lint.qdq import unfused_qdq, weights_expanded_each_run
from edgekit_export.lint.subject import Subject
from edgekit_export.lint.warning import LintWarning
from edgekit_export.target import Target

RULES: tuple[Callable[[Subject], LintWarning | None], ...] = (
    unfused_qdq,
    weights_expanded_each_run,
    dynamic_convolution,
    slow_s8s8,
    saturating_u8s8,
    missing_accuracy_level,
)


def lint(model: onnx.ModelProto, target: Target, stages: Stages | None = None) -> tuple[LintWarning, ...]:
    """All that the rules have to say.

    Args:
        model: the graph that ships.
        target: the processor.
        stages: what the export measured with the optimiser and without, see :func:`edgekit_export.parity.parity`;
            without it, nothing is said of the optimiser.

    Raises:
        ModelError: the engine refuses the graph.
    """
    subject = Subject(GraphView(optimized(name_nodes(model))), target)
    found = [rule(subject) for rule in RULES]
    found.append(None if stages is None else optimiser_changes_result(stages))
    return tuple(warning for warning in found if warning is not None)
