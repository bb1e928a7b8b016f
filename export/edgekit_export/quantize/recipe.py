"""What to do to a network, as data: a recipe is the ``[recipe]`` table of ``models/<name>/recipe.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from edgekit.errors import UsageError
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.ranges import RangeMethod


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is quantised.

    Attributes:
        name: read as ai-edge-quantizer's recipes do, e.g. ``static_wi8_ai8``, ``weight_only_wfp16``.
        mode: mode of every layer that is not kept.
        ranges: how the range of a coded tensor follows from calibration.
        rounding: ``output`` rounds each weight so that the layer's output is nearest, ``nearest`` by itself.
        correct_bias: moves what rounding does to a layer's mean output into its bias.
        wide: layers computed as exact wide layers, by name.
        half: layers kept in float with float16 weights, by name.
        keep: how many more layers are made wide, the most sensitive first; found by a scan.
        float_operators: pointwise operator types that never compute in integers.
    """

    name: str = "static_wi8_ai8"
    mode: Mode = Mode.INT8
    ranges: RangeMethod = "mse"
    rounding: Literal["output", "nearest"] = "output"
    correct_bias: bool = True
    wide: tuple[str, ...] = ()
    half: tuple[str, ...] = ()
    keep: int = 0
    float_operators: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.ranges not in ("min_max", "mse"):
            raise UsageError(f"recipe {self.name}: ranges: got {self.ranges!r}", "choose min_max or mse")
        if self.rounding not in ("output", "nearest"):
            raise UsageError(f"recipe {self.name}: rounding: got {self.rounding!r}", "choose output or nearest")
        if self.keep < 0:
            raise UsageError(f"recipe {self.name}: keep: expected 0 or more, got {self.keep}")


HALF_WEIGHTS = Recipe(name="weight_only_wfp16", mode=Mode.HALF)
"""float16 weights, float arithmetic."""


def recipe_from(table: Mapping[str, Any]) -> Recipe:
    """The recipe that a TOML table describes.

    Raises:
        UsageError: an unknown key, or a value out of range.
    """
    known = {f.name for f in fields(Recipe)}
    for key in table:
        if key not in known:
            raise UsageError(f"recipe: unknown key {key!r}", f"known keys: {', '.join(sorted(known))}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    if "mode" in values:
        try:
            values["mode"] = Mode(values["mode"])
        except ValueError:
            raise UsageError(
                f"recipe: mode: got {values['mode']!r}", f"choose from {', '.join(Mode)}"
            ) from None
    return Recipe(**values)
