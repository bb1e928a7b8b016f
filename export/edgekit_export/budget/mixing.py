"""The budget of one export: measures the choices of all graphs, makes what the solver proposes, keeps every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import onnx

from edgekit.types import Array
from edgekit_export.budget.allocation import Modes, Tables
from edgekit_export.budget.knapsack import Option
from edgekit_export.budget.mixed import Clock, measured, mixed_recipe
from edgekit_export.budget.steps import Steps
from edgekit_export.budget.table import LayerTable
from edgekit_export.calibration import Feeds
from edgekit_export.quantize.calibrated import Calibrated
from edgekit_export.quantize.choose import recipe_for
from edgekit_export.quantize.covariance import Moments
from edgekit_export.quantize.modes import modes_of
from edgekit_export.quantize.picture import whole_mean
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.precision import reduced
from edgekit_export.quantize.progress import Progress as LayerProgress
from edgekit_export.quantize.quantize import build
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.variants import Format, FullPrecision, Made, Plan, Progress

NAME = "mixed"


@dataclass(frozen=True, slots=True, eq=False)
class Mixing:
    """All graphs of an export, ready to be made with any width of weight in each layer.

    Attributes:
        full: the graphs in full precision.
        bases: role → the graph's own recipe.
        ready: role → what building it needs.
        tables: the choices.
        coded: int8 codes are among them.
    """

    full: FullPrecision
    bases: Mapping[str, Recipe]
    ready: Mapping[str, Calibrated]
    tables: Tables
    coded: bool = False

    def make(
        self, modes: Modes, formats: tuple[Format, ...], feeds: Mapping[str, Feeds], progress: Progress
    ) -> list[Made]:
        """The variant of an allocation, one in each format."""
        models = self.full.onnx
        recipes = {
            role: mixed_recipe(self.bases[role], models[role], modes[role], coded=self.coded)
            for role in models
        }
        with progress(f"{NAME} variant", None) as advance:
            made = {
                role: reduced(
                    build(
                        replace(ready, recipe=recipes[role]),
                        modes_of(ready.model, recipes[role]),
                        lambda *_: advance(),
                    )
                )
                for role, ready in self.ready.items()
            }
        return list(self.full.of(Plan("mixed", formats, NAME), recipes, made, feeds, progress))


def mixing(
    full: FullPrecision,
    feeds: Mapping[str, Feeds],
    steps: Steps,
    progress: Progress,
    clocks: Mapping[str, Clock] | None = None,
    wanted: Format = "onnx",
) -> Mixing:
    """Measures every choice for every layer, or reads what an earlier export measured.

    What has to do with time is measured anew: another moment has other times, and ranges are not kept.

    Args:
        full: the graphs.
        feeds: role → calibration data.
        steps: of this export.
        progress: told about the work.
        clocks: role → what tells its layers' times, where time is limited.
        wanted: format whose bytes count.
    """
    clocks = clocks or {}
    bases, ready, tables = {}, {}, {}
    for role, model in full.onnx.items():
        bases[role] = recipe_for(model, full.graphs[role].spec.quantize)
        clock = clocks.get(role)
        found = _read(steps, role, model, bases[role]) if clock is None else None
        if found is None:
            with _by_step(progress, role) as told:
                found = measured(model, feeds[role], bases[role], told, clock)
            if clock is None:
                _write(steps, role, *found)
        tables[role], ready[role] = found
        if wanted == "tflite":
            from edgekit_export.budget.tflite_table import for_tflite  # its file's classes come with an extra

            tables[role] = for_tflite(tables[role], model, len(full.tflite[role]))
    return Mixing(full, bases, ready, Tables(tables), coded=bool(clocks))


@contextmanager
def _by_step(progress: Progress, role: str) -> Iterator[LayerProgress]:
    """Progress by step as the quantiser tells it, as the command line shows it: one bar a step."""
    showing: list[tuple[str, int, Any, Callable[..., None]]] = []

    def close() -> None:
        if showing:
            showing.pop()[2].__exit__(None, None, None)

    def told(step: str, done: int, total: int) -> None:
        if not showing or showing[0][0] != step or done < showing[0][1]:
            close()
            context = progress(f"{role}: {step}", total or None)
            showing.append((step, 0, context, context.__enter__()))
        name, before, context, advance = showing[0]
        advance(done - before)
        showing[0] = name, done, context, advance

    try:
        yield told
    finally:
        close()


def _write(steps: Steps, role: str, table: LayerTable, ready: Calibrated) -> None:
    for found in ready.moments.values():
        found.settle()
    moments = {
        f"{name}/{part}": np.asarray(getattr(found, part))
        for name, found in ready.moments.items()
        for part in ("total", "products", "count")
    }
    steps.write(f"{role}-moments", moments)
    options = {
        name: {mode.value: [option.bytes, option.noise] for mode, option in choices.items()}
        for name, choices in table.options.items()
    }
    data = msgspec.json.encode(
        {
            "fixed_bytes": table.fixed_bytes,
            "weights": table.weights,
            "fixed_noise": table.fixed_noise,
            "options": options,
        }
    )
    steps.write(f"{role}-table", {"json": np.frombuffer(data, np.uint8)})


def _read(
    steps: Steps, role: str, model: onnx.ModelProto, base: Recipe
) -> tuple[LayerTable, Calibrated] | None:
    arrays, stored = steps.read(f"{role}-moments"), steps.read(f"{role}-table")
    if arrays is None or stored is None:
        return None
    table = msgspec.json.decode(stored["json"].tobytes())
    options = {
        name: {Mode(mode): Option(*values) for mode, values in choices.items()}
        for name, choices in table["options"].items()
    }
    made = onnx.ModelProto()
    made.CopyFrom(model)
    pixels = whole_mean(made)
    ready = Calibrated(made, mixed_recipe(base, model, {}), pixels, {}, moments=_moments(arrays))
    known = LayerTable(table["fixed_bytes"], table["weights"], options, fixed_noise=table["fixed_noise"])
    return known, ready


def _moments(arrays: Mapping[str, Array]) -> dict[str, Moments]:
    names = dict.fromkeys(key.rpartition("/")[0] for key in arrays)
    return {
        name: Moments(arrays[f"{name}/total"], arrays[f"{name}/products"], int(arrays[f"{name}/count"]))
        for name in names
    }
