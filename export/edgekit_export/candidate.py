"""One variant that may ship, staged and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from edgekit.bundle.manifest import Golden, Variant
from edgekit.evaluation.origin import Stages
from edgekit.evaluation.outcome import Evaluation
from edgekit_export.lint.warning import LintWarning
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.timing import Timing


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A variant, staged and measured.

    Attributes:
        variant: its manifest entry, without a drop.
        golden: what it makes of the golden inputs.
        members: what ``golden`` names, pictures included.
        engine: engine and version that measured it.
        evaluation: against full precision; ``None`` for the reference, or without data.
        parity: role → its stages, where there were feeds.
        layers: role → what the quantiser reports.
        recipes: role → recipe as applied; empty for what was not quantised.
        modes: role → layer → how it computes; what is not named is in float.
        timing: how long its graphs take for one input; ``None`` before it was measured.
        warnings: role → what the kernel lint says; empty before it was asked.
    """

    variant: Variant
    golden: tuple[Golden, ...]
    members: Mapping[str, bytes]
    engine: str
    evaluation: Evaluation | None = None
    parity: Mapping[str, Stages] | None = None
    layers: Mapping[str, Any] | None = None
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    modes: Mapping[str, Mapping[str, Mode]] = field(default_factory=dict)
    timing: Timing | None = None
    warnings: Mapping[str, tuple[LintWarning, ...]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """No gate was asked for, or it is proven to hold; the time, too."""
        drop = self.evaluation is None or self.evaluation.holds
        return drop and (self.timing is None or self.timing.holds)

    def entry(self) -> Variant:
        """The manifest entry with the measured drop."""
        return (
            self.variant if self.evaluation is None else replace(self.variant, drop=self.evaluation.as_drop())
        )

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit export --json`` lists variants."""
        formats = {model.format for model in self.variant.models.values()}
        return {
            "name": self.variant.name,
            "format": formats.pop(),
            "recipe": self.variant.recipe,
            "bytes": self.variant.bytes,
            "drop": None if self.evaluation is None else summary(self.evaluation),
            "parity": msgspec.to_builtins(self.parity or {}),
            "layers": dict(self.layers or {}),
            "latency": None if self.timing is None else asdict(self.timing),
            "warnings": [
                {"graph": role, **asdict(warning)}
                for role, found in self.warnings.items()
                for warning in found
            ],
        }


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """The core of an evaluation, with the keys of ``edgekit validate --json``."""
    return {
        "metric": evaluation.metric,
        "n": evaluation.n,
        "clusters": evaluation.clusters,
        "reference": evaluation.reference,
        "candidate": evaluation.candidate,
        "drop": evaluation.drop,
        "interval": list(evaluation.interval),
        "agreement": evaluation.agreement,
        "sqnr_db": evaluation.sqnr_db,
        "verdict": evaluation.verdict,
        "reason": evaluation.reason,
        "needed_n": evaluation.needed_n,
    }
