"""Tables of where a drop comes from: layers, stages, variants against each other."""

from __future__ import annotations

from edgekit.evaluation.origin import AgreementMatrix, GraphOrigin, Stages, Step
from edgekit.report.plots.layers import lowest
from edgekit.report.tables import Cell, Table
from edgekit.report.wording import decibels, points


def worst_layer(graph: GraphOrigin) -> str:
    """Names the noisiest layers, in one sentence; empty where no layer was measured."""
    said = []
    for what, values in (
        ("alone hurts the output most", [layer.alone_db for layer in graph.layers]),
        ("is itself furthest off", [layer.cumulative_db for layer in graph.layers]),
    ):
        index = lowest(values)
        if index is not None:
            layer = graph.layers[index]
            said.append(f"{layer.name} ({layer.op}, {layer.precision}) {what}: {decibels(values[index])}")
    return "; ".join(said) + "." if said else ""


def layers_table(graph: GraphOrigin) -> Table:
    """All layers in the order they compute."""
    rows = tuple(
        (
            Cell(f"{i}", i),
            Cell(layer.name),
            Cell(layer.op),
            Cell(layer.precision),
            Cell(decibels(layer.alone_db), layer.alone_db),
            Cell(decibels(layer.cumulative_db), layer.cumulative_db),
        )
        for i, layer in enumerate(graph.layers, 1)
    )
    columns = ("order", "layer", "operator", "precision", "alone, at the output", "cumulative, of the layer")
    return Table("Layers", columns, rows)


def stages_table(stages: Stages) -> Table:
    """Framework, exported file and reduced file, one step a row."""
    steps = [
        *_steps("framework to exported full precision", stages.export),
        *_steps("full precision to reduced", stages.reduction),
        ("reduced: optimiser off to on", stages.optimizer),
    ]
    rows = tuple(
        (
            Cell(name),
            Cell(f"{step.max_abs:.3g}", step.max_abs),
            Cell(decibels(step.sqnr_db, "equal to the bit" if step.max_abs == 0 else "–"), step.sqnr_db),
        )
        for name, step in steps
    )
    return Table("Three stages side by side", ("step", "largest difference", "SQNR"), rows)


def matrix_table(matrix: AgreementMatrix) -> Table:
    """Percentage of equal decisions of each two variants."""
    rows = tuple(
        (Cell(name), *(Cell(points(value), value) for value in row))
        for name, row in zip(matrix.variants, matrix.percent, strict=True)
    )
    return Table("Variants against each other", ("variant", *matrix.variants), rows)


def heat(percent: float) -> int:
    """Shade of an agreement, 0 (all alike) to 6 (more than 15 points apart)."""
    apart = 100 - percent
    bounds = (0.0, 0.5, 1.0, 2.0, 5.0, 15.0)
    return sum(apart > bound for bound in bounds)


def _steps(name: str, steps: dict[str, Step]) -> list[tuple[str, Step]]:
    words = {"all": "optimiser on", "none": "optimiser off"}
    return [(f"{name}, {words.get(mode, mode)}", step) for mode, step in steps.items()]
