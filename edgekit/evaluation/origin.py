"""Where a drop comes from: noise layer by layer, stages side by side, variants against each other."""

from __future__ import annotations

from itertools import pairwise

from edgekit.errors import DataError
from edgekit.evaluation.outcome import Part


class LayerNoise(Part, frozen=True):
    """What reducing one layer's precision does.

    Attributes:
        name: of the layer, as its graph has it.
        op: its operator, e.g. ``Conv``.
        precision: what it became: ``int8``, ``wide``, ``dynamic``, ``weight8`` or ``half`` (``docs/validation.md``).
        alone_db: signal to noise of the graph's output when this layer alone is reduced.
        cumulative_db: signal to noise of this layer's own output in the reduced graph.
            ``None`` in either: equal to the bit, or not measured.
    """

    name: str
    op: str
    precision: str
    alone_db: float | None
    cumulative_db: float | None


class Histogram(Part, frozen=True):
    """Values of one layer's output, counted in the same bins for both.

    Attributes:
        layer: its name.
        edges: ``k + 1`` rising bin edges.
        reference: ``k`` counts in full precision, and
        candidate: in the reduced graph.
    """

    layer: str
    edges: tuple[float, ...]
    reference: tuple[int, ...]
    candidate: tuple[int, ...]

    def __post_init__(self) -> None:
        bins = len(self.edges) - 1
        if bins < 1 or len(self.reference) != bins or len(self.candidate) != bins:
            raise DataError(
                f"histogram of {self.layer}: expected k + 1 edges and k counts of both, got {len(self.edges)}, "
                f"{len(self.reference)} and {len(self.candidate)}"
            )
        if not all(left < right for left, right in pairwise(self.edges)):
            raise DataError(f"histogram of {self.layer}: expected rising edges")


class Step(Part, frozen=True):
    """How far one stage is from another over all samples.

    Attributes:
        max_abs: largest difference of an output value.
        sqnr_db: signal to noise, with the earlier stage as the signal; ``None`` where equal.
    """

    max_abs: float
    sqnr_db: float | None


class Stages(Part, frozen=True):
    """The steps between the stages of one graph.

    Attributes:
        samples: how many inputs.
        export: framework → exported full precision, by graph optimisation ``all`` and ``none``.
        reduction: exported full precision → reduced, by graph optimisation of both.
        optimizer: reduced without optimisation → the same with it: what the optimiser changes.
    """

    samples: int
    export: dict[str, Step]
    reduction: dict[str, Step]
    optimizer: Step


class GraphOrigin(Part, frozen=True):
    """Where the noise of one graph comes from.

    Attributes:
        samples: inputs that the layers were measured on.
        layers: in the order they compute.
        worst: of the layer with the lowest ``cumulative_db``.
        stages: ``None`` where the framework's own function is not at hand.
    """

    samples: int
    layers: tuple[LayerNoise, ...]
    worst: Histogram | None = None
    stages: Stages | None = None


class AgreementMatrix(Part, frozen=True):
    """How often variants decide alike.

    Attributes:
        variants: names, the reference first.
        percent: ``percent[i][j]`` of the samples on which variants ``i`` and ``j`` decide alike.
        n: samples.
    """

    variants: tuple[str, ...]
    percent: tuple[tuple[float, ...], ...]
    n: int

    def __post_init__(self) -> None:
        k = len(self.variants)
        if [len(row) for row in self.percent] != [k] * k:
            raise DataError(
                f"agreement matrix: expected {k} rows of {k} values, got {[len(row) for row in self.percent]}"
            )
