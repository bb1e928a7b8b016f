"""What a classifier's ``problem_type`` says of its scores."""

from __future__ import annotations

from typing import Literal

from edgekit.errors import ModelError
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder

_ACTIVATIONS: dict[str | None, Literal["softmax", "sigmoid"]] = {
    None: "softmax",
    "single_label_classification": "softmax",
    "multi_label_classification": "sigmoid",
}


def activation_of(folder: HfFolder) -> Literal["softmax", "sigmoid"]:
    """What makes probabilities of the scores: one label holds, or each by itself.

    Raises:
        ModelError: they are no scores of labels.
    """
    problem = folder.config.get("problem_type")
    if not isinstance(problem, str | None) or problem not in _ACTIVATIONS:
        known = ", ".join(name for name in _ACTIVATIONS if name)
        raise ModelError(
            f"{folder.origin}: {CONFIG}: problem_type: expected one of {known}, got {problem!r}",
            "edgekit runs classifiers",
        )
    return _ACTIVATIONS[problem]
