"""The graphs of one precision, in each format that was asked for: one recipe, one rounding of the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import onnx

from edgekit.bundle.manifest import ImageInput, Normalize, TextInput, head_tensors, kept_outputs
from edgekit.errors import UsageError
from edgekit_export.calibration import Feeds
from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.normalize import normalize
from edgekit_export.convert.select_outputs import select_outputs
from edgekit_export.parity import Graph
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.precision import Precision, Reduced, recipe_of, reduce_precision
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.sources.source import SourceGraph

Format = Literal["onnx", "tflite"]
Progress = Callable[[str, int | None], AbstractContextManager[Callable[..., None]]]
"""``progress(description, total)`` as the command line has it."""

TFLITE_ENDING = "-tflite"
"""Behind the name of a variant in that format."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make of a source's graphs: a precision, in some formats.

    Attributes:
        precision: of most weights.
        formats: one variant in each, in order.
        name: of the variants, a format's ending apart; empty for the precision's.
        recipes: role → recipe, one for each graph, or none at all for full precision; ``None`` for what the
            precision and the source's own recipe say.
    """

    precision: Precision
    formats: tuple[Format, ...]
    name: str = ""
    recipes: Mapping[str, Recipe] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The graphs of a variant that is not measured yet.

    Attributes:
        name: of the variant: its precision, and its format unless that is ONNX.
        recipe: that made it.
        precision: of most weights.
        models: role → graph with a uint8 NHWC input.
        full: role → the same in full precision, in the same format.
        exact: role → whether its arithmetic is the same on every CPU; false for roles that are not named.
        layers: role → what was done to its layers.
        recipes: role → recipe as applied; empty in full precision.
        modes: role → layer → how it computes; empty in full precision, and of TFLite files.
    """

    name: str
    recipe: str
    precision: Precision
    models: Mapping[str, Graph]
    full: Mapping[str, Graph]
    exact: Mapping[str, bool] = field(default_factory=dict)
    layers: Mapping[str, Any] = field(default_factory=dict)
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    modes: Mapping[str, Mapping[str, Mode]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class FullPrecision:
    """A source's graphs in full precision.

    Attributes:
        graphs: role → where it came from.
        onnx: role → normalised graph.
        tflite: role → TFLite file; empty unless that format is wanted.
    """

    graphs: Mapping[str, SourceGraph]
    onnx: Mapping[str, onnx.ModelProto]
    tflite: Mapping[str, bytes]

    def variants(self, plan: Plan, feeds: Mapping[str, Feeds], progress: Progress) -> Iterator[Made]:
        """The variants of a plan, in the order of its formats.

        Raises:
            UsageError, ModelError: as :func:`edgekit_export.quantize.precision.reduce_precision` says.
        """
        recipes = self._recipes(plan)
        plan = replace(plan, name=plan.name or plan.precision)
        reduced = {}
        for role, model in self.onnx.items():
            with progress(f"{plan.name} {role}", None) as advance:
                reduced[role] = reduce_precision(model, recipes.get(role), feeds.get(role), advance)
        yield from self.of(plan, recipes, reduced, feeds, progress)

    def of(
        self,
        plan: Plan,
        recipes: Mapping[str, Recipe],
        reduced: Mapping[str, Reduced],
        feeds: Mapping[str, Feeds],
        progress: Progress,
    ) -> Iterator[Made]:
        """The variants of graphs that are reduced already, in the order of the plan's formats.

        Args:
            plan: with a name.
            recipes: role → recipe as applied.
            reduced: role → what came of it.
            feeds: role → calibration data, for TFLite's own.
            progress: told about the work.
        """
        for wanted in plan.formats:
            if wanted == "onnx":
                yield self._onnx(plan, recipes, reduced)
            else:
                yield self._tflite(plan, recipes, reduced, feeds, progress)

    def _recipes(self, plan: Plan) -> Mapping[str, Recipe]:
        """Role → recipe; none in full precision."""
        if plan.recipes is not None:
            return plan.recipes
        tables = {role: graph.spec.quantize for role, graph in self.graphs.items()}
        found = {role: recipe_of(model, plan.precision, tables[role]) for role, model in self.onnx.items()}
        return {role: recipe for role, recipe in found.items() if recipe is not None}

    def _onnx(self, plan: Plan, recipes: Mapping[str, Recipe], reduced: Mapping[str, Reduced]) -> Made:
        return Made(
            name=plan.name,
            recipe=next(iter(reduced.values())).recipe,
            precision=plan.precision,
            models={role: made.model for role, made in reduced.items()},
            full=self.onnx,
            exact={role: made.exact for role, made in reduced.items()},
            layers={role: made.report for role, made in reduced.items()},
            recipes=recipes,
            modes={
                role: {name: layer.mode for name, layer in made.written.items()}
                for role, made in reduced.items()
            },
        )

    def _tflite(
        self,
        plan: Plan,
        recipes: Mapping[str, Recipe],
        reduced: Mapping[str, Reduced],
        feeds: Mapping[str, Feeds],
        progress: Progress,
    ) -> Made:
        name = f"{plan.name}{TFLITE_ENDING}"
        if not recipes:
            return Made(name, "full_precision", plan.precision, self.tflite, self.tflite)
        from edgekit_export.tflite.quantize import quantize_tflite

        found = {}
        for role, data in self.tflite.items():
            written, given = reduced[role].written, feeds.get(role, ())
            with progress(f"{name} {role}", None) as advance:
                found[role] = quantize_tflite(data, written, recipes[role], given, advance)
        return Made(
            name=name,
            recipe=next(iter(found.values())).recipe,
            precision=plan.precision,
            models={role: made.data for role, made in found.items()},
            full=self.tflite,
            layers={role: made.report for role, made in found.items()},
            recipes=recipes,
        )


def full_precision_of(
    graphs: Mapping[str, SourceGraph], formats: Sequence[Format], progress: Progress
) -> FullPrecision:
    """Converts a source to every format that is wanted; to ONNX in any case, which is the reference.

    Raises:
        UsageError: TFLite is wanted of a source that is no torch network, or has no fixed size.
        EnvironmentLacks: TFLite is wanted and its converter is not installed.
        ModelError: a graph cannot be brought to our normal form, or has an operator that TFLite lacks.
    """
    if "tflite" in formats:
        _check_tflite(graphs)
    with progress("convert", len(graphs)) as advance:
        converted = {}
        for role, graph in graphs.items():
            converted[role] = full_precision(graph)
            advance()
    tflite: dict[str, bytes] = {}
    if "tflite" in formats:
        with progress("convert to TFLite", len(graphs)) as advance:
            for role, graph in graphs.items():
                tflite[role] = _tflite(graph)
                advance()
    return FullPrecision(graphs, converted, tflite)


def full_precision(graph: SourceGraph) -> onnx.ModelProto:
    """The source's graph in our normal form, with its outputs as the head reads them.

    A graph of pictures gets a uint8 NHWC input, with its normalisation folded in.

    Raises:
        ModelError: it should be a graph of one picture and is not, lacks an output that the head reads, or
            cannot be brought to our normal form.
    """
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    select_outputs(model, kept_outputs(graph.spec.input, graph.spec.head))
    image = graph.spec.input
    return normalize(model, _picture(graph, image) if isinstance(image, ImageInput) else None)


def _picture(graph: SourceGraph, image: ImageInput) -> Picture:
    scale = [op for op in image.ops if isinstance(op, Normalize)]
    mean, std = (scale[0].mean, scale[0].std) if scale else ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    _, _, height, width = graph.spec.shape
    return Picture(mean, std, height or "height", width or "width")


def _check_tflite(graphs: Mapping[str, SourceGraph]) -> None:
    from edgekit_export.tflite.converter import require_converter

    for role, graph in graphs.items():
        if graph.network is None:
            raise UsageError(
                f"--format tflite needs a torch network as source, graph {role!r} comes as ONNX",
                "use --format onnx, or export the network of an ONNX file as module:function",
            )
    require_converter()


def _tflite(graph: SourceGraph) -> bytes:
    from edgekit_export.tflite.convert import convert_text, convert_torch

    names = graph.outputs if graph.given is not None else head_tensors(graph.spec.head)
    image = graph.spec.input
    if isinstance(image, TextInput):
        return convert_text(graph.network, image, names)
    if not isinstance(image, ImageInput):
        raise UsageError("--format tflite: for graphs of pictures and of texts", "use --format onnx")
    picture = _picture(graph, image)
    return convert_torch(graph.network, graph.spec.shape, picture, names, cut_softmax=graph.cut == "softmax")
