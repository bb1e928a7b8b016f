"""One row of the table: a family through the commands that a user would give."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.cli.values import format_size
from edgekit_export.conformance.family import Data, Family
from edgekit_export.conformance.generated import write_data

TIMEOUT_S = 1200
PARITY = 1e-3
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, or the reason why there is none."""

    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a family, column by column."""

    family: Family
    exports: Cell
    parity: Cell
    int8: Cell
    tflite: Cell
    runs: Cell
    validates: Cell

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All of them, in the order of the columns."""
        return self.exports, self.parity, self.int8, self.tflite, self.runs, self.validates

    @property
    def whole(self) -> bool:
        """Whether every column has its figure; TFLite's may have a reason instead."""
        return all(cell.ok for cell in self.cells if cell is not self.tflite)


def measure(family: Family, folder: Path, limit: int | None = None) -> Row:
    """Exports, runs and validates one model of a family.

    Args:
        family: what to make.
        folder: empty; for what is made.
        limit: judge on at most so many samples.
    """
    try:
        source = family.make(folder)
    except Exception as error:  # noqa: BLE001 (another library's; it must not end the table)
        return _without(family, f"the model cannot be made: {error}")
    calibration, evaluation = write_data(family.kind, folder / "data")
    data = Data((str(calibration),), (str(evaluation),)) if family.data is None else family.data()
    arguments = [*source, *_each("--calib", data.calibration), *_each("--eval", data.evaluation)]
    fewer = [] if limit is None else ["--limit", str(limit)]
    arguments += fewer
    bundle = folder / "both.edge"
    made = _edgekit("export", *arguments, "-o", str(bundle), "--format", "onnx", "--recipe", "int8,fp32")
    if "error" in made:
        return _without(family, _reason(made))
    variants = {v["name"]: v for v in made["variants"]}
    small = ["-o", str(folder / "tflite.edge")]
    if family.wrapped:
        tflite = _edgekit("export", *source, *small)
    else:
        tflite = _edgekit("export", *arguments, *small, "--recipe", "int8", "--format", "tflite")
    ran = _edgekit("run", str(bundle), str(evaluation if evaluation.is_file() else min(evaluation.iterdir())))
    judged = _edgekit(
        "validate", str(bundle), "--against", made["reference"], *_each("--data", data.evaluation), *fewer
    )
    return Row(
        family,
        exports=Cell(format_size(made["reference_bytes"])),
        parity=_parity(variants["fp32"]),
        int8=_int8(variants["int8"], made["reference_bytes"]),
        tflite=_tflite(tflite, made["reference_bytes"]),
        runs=_ran(ran),
        validates=_judged(judged),
    )


def _without(family: Family, reason: str) -> Row:
    return Row(family, Cell(reason, ok=False), *([Cell("not exported", ok=False)] * 5))


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


def _edgekit(*arguments: str) -> dict[str, Any]:
    """The last JSON object that a command prints."""
    command = [sys.executable, "-m", "edgekit", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    lines = done.stdout.splitlines()
    if not lines:
        said = (done.stderr.splitlines() or ["nothing"])[-1]
        return {"error": {"message": f"exit code {done.returncode}: {said}", "remedy": ""}}
    told: dict[str, Any] = json.loads(lines[-1])
    return told


def _reason(told: Mapping[str, Any]) -> str:
    said = " ".join(str(told["error"]["message"]).split())
    return re.sub(r"/\S*/site-packages/", "", said)[:LONGEST_REASON]


def _parity(variant: Mapping[str, Any]) -> Cell:
    """The largest difference from the framework, over all graphs."""
    largest = max((stage["export"]["all"]["max_abs"] for stage in variant["parity"].values()), default=None)
    if largest is None:
        return Cell("nothing to compare with", ok=False)
    return Cell(f"{largest:.1e}", ok=largest <= PARITY)


def _int8(variant: Mapping[str, Any], reference_bytes: int) -> Cell:
    return Cell(f"{variant['bytes'] / reference_bytes:.0%}, {_agreement(variant)}")


def _agreement(variant: Mapping[str, Any]) -> str:
    drop = variant["drop"]
    if drop is None:
        return "not judged"
    sqnr = "" if drop["sqnr_db"] is None else f", {drop['sqnr_db']:.1f} dB"
    return f"agreement {drop['agreement']:.4g} %{sqnr}"


def _tflite(told: Mapping[str, Any], reference_bytes: int) -> Cell:
    if "error" in told:
        return Cell(_reason(told), ok=False)
    variant = told["variants"][0]
    if variant["drop"] is None:
        return Cell(f"{variant['name']}, the file as it is")
    full, small = _parity(variant), _int8(variant, reference_bytes)
    return (
        small
        if full.ok
        else Cell(f"in full precision {full.text} from the framework; {small.text}", ok=False)
    )


def _ran(told: Mapping[str, Any]) -> Cell:
    if "error" in told:
        return Cell(_reason(told), ok=False)
    return Cell(f"{told['latency_ms']:.3g} ms")


def _judged(told: Mapping[str, Any]) -> Cell:
    if "error" in told:
        return Cell(_reason(told), ok=False)
    low, high = told["interval"]
    return Cell(f"{told['metric']} {told['drop']:+.2f} [{low:+.2f}, {high:+.2f}], n {told['n']}")
