"""The table as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgekit.machine import Machine
from edgekit_export.conformance.measure import Row

HEAD = """\
# Conformance: which families go all the way

Made by `python -m edgekit_export.conformance` ({machine}; {versions}).

- **exports**: bytes of the graphs in full precision.
- **parity**: largest difference of the exported graph's outputs in fp32 from the framework's own (at most 1e-3).
- **int8**: bytes of the model files, of full precision's; how often it decides as full precision does; signal to
  quantisation noise.
- **TFLite**: the same of the TFLite file, or why there is none.
- **runs**: one input through `edgekit run`, the first one, from file to result.
- **validates**: what `edgekit validate` says of int8 against full precision, 95 % interval.

*real* weights come from a package. *random* weights stand in the true architecture at a small size: such a row
shows that the path works and that parity holds; its drop says nothing about trained models.

"""
COLUMNS = ("family", "input", "weights", "exports", "parity", "int8", "TFLite", "runs", "validates")


def page(rows: Iterable[Row], machine: Machine, versions: str) -> str:
    """The whole document."""
    table = [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *(_line(_cells(row)) for row in rows)]
    return HEAD.format(machine=machine, versions=versions) + "\n".join(table) + "\n"


def _cells(row: Row) -> Sequence[str]:
    family = row.family
    shown = [cell.text if cell.ok else f"✗ {cell.text}" for cell in row.cells]
    return [family.name, family.kind, family.weights, *shown]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
