"""What to do to a network, as data: a recipe is the ``[recipe]`` table of ``models/<name>/recipe.toml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from itertools import combinations
from typing import Any, Literal, get_args

from edgekit.errors import UsageError
from edgekit_export.quantize.placement import CODED, Mode
from edgekit_export.quantize.ranges import RangeMethod
from edgekit_export.quantize.round_weights import DAMPING

TfliteRecipe = Literal["as_onnx", "static_wi8_ai8", "dynamic_wi8_afp32", "weight_only_wi8_afp32"]

_MOST_DAMPING = 1000.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is quantised.

    Attributes:
        name: read as ai-edge-quantizer's recipes do, e.g. ``static_wi8_ai8``, ``weight_only_wfp16``.
        mode: mode of every layer that is not kept.
        ranges: how the range of a coded tensor follows from calibration.
        rounding: ``output`` rounds each weight so that the layer's output is nearest, ``nearest`` by itself.
        damping: of that rounding; the more, the less it is fitted to the samples seen: 0.3 gave photographs not
            seen 1 to 2 dB more where weights are all that is rounded.
        correct_bias: moves what rounding does to a layer's mean output into its bias.
        wide: layers computed as exact wide layers, by name.
        weight8: layers with int8 weights and float activations, by name.
        half: layers with float16 weights and float activations, by name: small ones whose weights int8 cannot hold.
        modes: layers of yet other modes, each with its name: ``weight12``, say.
        keep_below_db: layers that alone make more noise than this at the output are kept as well (a scan finds
            them); 0 keeps none.
        keep_as: what the scan's layers become, ``wide`` or ``weight8``.
        tflite: how layers of the TFLite graph compute: as those of the ONNX graph do, or all by one of
            ai-edge-quantizer's recipes (transformers gain by dynamic_wi8_afp32).
        samples: calibrate on at most so many, taken evenly; a detector's pictures are worth many of a
            classifier's, and cost as much.
    """

    name: str = "static_wi8_ai8"
    mode: Mode = Mode.INT8
    ranges: RangeMethod = "mse"
    rounding: Literal["output", "nearest"] = "output"
    damping: float = DAMPING
    correct_bias: bool = True
    wide: tuple[str, ...] = ()
    weight8: tuple[str, ...] = ()
    half: tuple[str, ...] = ()
    modes: tuple[tuple[str, Mode], ...] = ()
    keep_below_db: float = 0.0
    keep_as: Mode = Mode.WIDE
    tflite: TfliteRecipe = "as_onnx"
    samples: int = 160

    def __post_init__(self) -> None:
        if self.ranges not in get_args(RangeMethod):
            raise UsageError(
                f"recipe {self.name}: ranges: got {self.ranges!r}",
                f"choose from {', '.join(get_args(RangeMethod))}",
            )
        if self.rounding not in ("output", "nearest"):
            raise UsageError(
                f"recipe {self.name}: rounding: got {self.rounding!r}", "choose output or nearest"
            )
        if self.keep_as not in (Mode.WIDE, Mode.WEIGHT8):
            raise UsageError(
                f"recipe {self.name}: keep_as: got {self.keep_as.value!r}", "choose wide or weight8"
            )
        if self.tflite not in get_args(TfliteRecipe):
            raise UsageError(
                f"recipe {self.name}: tflite: got {self.tflite!r}",
                f"choose from {', '.join(get_args(TfliteRecipe))}",
            )
        if not 0 < self.damping <= _MOST_DAMPING:
            raise UsageError(
                f"recipe {self.name}: damping: expected above 0, up to {_MOST_DAMPING:g}, got {self.damping:g}"
            )
        if self.samples < 1:
            raise UsageError(f"recipe {self.name}: samples: expected 1 or more, got {self.samples}")
        for first, second in combinations(("wide", "weight8", "half"), 2):
            if both := sorted({*getattr(self, first)} & {*getattr(self, second)}):
                raise UsageError(f"recipe {self.name}: layer {both[0]!r} is both {first} and {second}")

    @property
    def needs_data(self) -> bool:
        """Whether it needs calibration data: for ranges that are known beforehand, or for errors that count."""
        if self.mode in (Mode.HALF, Mode.FLOAT) and not self.modes:
            return False
        measured = self.rounding == "output" or self.correct_bias or self.keep_below_db > 0
        used = {self.mode, *(mode for _, mode in self.modes)}
        return measured or bool(self.wide) or bool(used & CODED)


HALF_WEIGHTS = Recipe(name="weight_only_wfp16", mode=Mode.HALF)
"""float16 weights, float32 arithmetic: as fast as full precision, in half the bytes."""


DYNAMIC_INT8 = Recipe(
    name="dynamic_wi8_afp32",
    mode=Mode.DYNAMIC,
    rounding="nearest",
    correct_bias=False,
    tflite="dynamic_wi8_afp32",
)
"""int8 weights and lookup tables, activations in codes of a range a row; needs no calibration data."""


def recipe_from(table: Mapping[str, Any]) -> Recipe:
    """The recipe that a TOML table describes; what it does not say is as in :data:`DYNAMIC_INT8` for that mode.

    Raises:
        UsageError: an unknown key, or a value of another kind or out of range.
    """
    known = {f.name for f in fields(Recipe)}
    for key in table:
        if key not in known:
            raise UsageError(f"recipe: unknown key {key!r}", f"known keys: {', '.join(sorted(known))}")
    values = {key: _of_kind(key, value) for key, value in table.items()}
    for key in {"mode", "keep_as"} & values.keys():
        values[key] = _mode(key, values[key])
    if "modes" in values:
        values["modes"] = tuple(
            (name, _mode(f"modes.{name}", found)) for name, found in values["modes"].items()
        )
    usual = DYNAMIC_INT8 if values.get("mode") is Mode.DYNAMIC else Recipe()
    return replace(usual, **values)


def recipe_table(recipe: Recipe) -> dict[str, Any]:
    """The table of which :func:`recipe_from` makes the recipe again: all that it says but empty lists.

    Defaults are said too, since another version may have others.
    """
    said = {field.name: _plain(getattr(recipe, field.name)) for field in fields(Recipe)}
    said["modes"] = {name: mode.value for name, mode in recipe.modes}
    return {key: value for key, value in said.items() if value not in ((), {})}


def _plain(value: Any) -> Any:  # noqa: ANN401 (any field of a recipe)
    return value.value if isinstance(value, StrEnum) else value


def _of_kind(key: str, value: Any) -> Any:  # noqa: ANN401 (what a table holds)
    """A value of the kind that the field has; bundles of strangers hold recipes too."""
    usual = getattr(Recipe(), key)
    if key == "modes":
        fits, kind = isinstance(value, Mapping) and _all_texts(value.values()), "a table of modes by layer"
    elif isinstance(usual, tuple):
        fits, kind = isinstance(value, list | tuple) and _all_texts(value), "a list of layers"
    elif isinstance(usual, str):
        fits, kind = isinstance(value, str), "a text"
    elif isinstance(usual, bool):
        fits, kind = isinstance(value, bool), "true or false"
    else:
        kinds = int if isinstance(usual, int) else (int, float)
        fits, kind = isinstance(value, kinds) and not isinstance(value, bool), "a number"
    if not fits:
        raise UsageError(f"recipe: {key}: got {value!r:.80}", f"expected {kind}")
    return tuple(value) if isinstance(value, list) else value


def _all_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _mode(key: str, value: str) -> Mode:
    try:
        return Mode(value)
    except ValueError:
        raise UsageError(f"recipe: {key}: got {value!r}", f"choose from {', '.join(Mode)}") from None
