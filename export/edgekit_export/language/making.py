"""The weights of each variant of a text model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from edgekit.errors import UsageError
from edgekit_export.language.calibrated import Calibrated
from edgekit_export.language.matrices import matrices_of, matrix_reader, noise_weights
from edgekit_export.language.plans import Codes, TextRecipe, coded_plan, stored_plan
from edgekit_export.language.staged import Plan
from edgekit_export.quantize.block_grid import Format
from edgekit_export.quantize.nearest import rounded
from edgekit_export.quantize.progress import Progress
from edgekit_export.quantize.rough_costs import rough_costs
from edgekit_export.quantize.text_gptq import round_text
from edgekit_export.quantize.text_quantize import plain_formats, quantize_plainly, quantize_text
from edgekit_export.quantize.text_sensitivity import measure_head_moment
from edgekit_export.quantize.tiered import TieredFormat
from edgekit_export.quantize.vision_rounding import round_vision
from edgekit_export.quantize.vision_sensitivity import measure_vision_costs
from edgekit_export.quantize.vision_widths import plain_vision_formats, vision_matrices
from edgekit_export.quantize.widths import choose_formats
from edgekit_export.sources.eyes import Eyes
from edgekit_export.sources.text_model import TextModel
from edgekit_export.variants import Progress as Shown

BESIDE_BYTES = 700_000
"""Graphs, golden vectors, manifest and padding of a bundle: what a search for widths leaves room for."""


def plan_of(
    recipe: TextRecipe,
    model: TextModel,
    calibrated: Calibrated | None,
    weight_bytes: int | None,
    shown: Shown,
) -> Plan:
    """What to write for a recipe; ``stored`` reads its codes when it is written, the others are rounded here.

    Args:
        recipe: of the variant.
        model: the checkpoint.
        calibrated: what rounding is fitted to; ``None`` for the nearest codes.
        weight_bytes: most bytes of codes, scales and zero points; only ``mixed`` asks.
        shown: told about the work.

    Raises:
        UsageError: see :func:`check_recipe`.
        DataError: as :func:`quantize_text` says.
    """
    check_recipe(recipe, model, has_texts=calibrated is not None, has_size=weight_bytes is not None)
    if recipe == "stored":
        return stored_plan(model)
    with shown(f"{recipe}, rounding", _steps(model, recipe, fitted=calibrated is not None)) as advance:
        watched = _watching(advance)
        if recipe == "mixed":
            assert weight_bytes is not None  # as checked
            name, made = "weight_only_mixed", _mixed(model, calibrated, weight_bytes, watched)
        else:
            name = f"weight_only_wi{recipe.removeprefix('int')}"
            made = _plain(model, recipe, calibrated, watched)
    return coded_plan(recipe, name, model, made)


def _steps(model: TextModel, recipe: TextRecipe, *, fitted: bool) -> int:
    """How often a plan's work tells that it goes on."""
    mixed, matrices = recipe == "mixed", len(matrices_of(model).sizes)
    if not fitted:
        return 2 * matrices if mixed else matrices  # for its costs, and to round it
    if model.eyes is None:  # layers: forward, for widths also backward, and rounding
        return (3 if mixed else 2) * model.shape.layers
    tower = model.eyes.shape.layers
    costs = matrices + 2 * (tower + 2) if mixed else 0  # there and back, with patches and connector
    return costs + 2 * model.shape.layers + tower + 1


def plain_bytes(model: TextModel, recipe: Literal["int8", "int4"]) -> int:
    """Of all codes of a recipe with one width."""
    formats: dict[str, Format | TieredFormat] = {**plain_formats(model.shape, recipe)}
    if model.eyes is not None:
        formats |= plain_vision_formats(model.eyes.shape, recipe)
    sizes = matrices_of(model).sizes
    return sum(form.stored_bytes(*sizes[name]) for name, form in formats.items())


def _plain(
    model: TextModel, recipe: Literal["int8", "int4"], calibrated: Calibrated | None, watched: Progress
) -> Codes:
    if model.eyes is None:
        return quantize_plainly(model, recipe, None if calibrated is None else calibrated.sequences, watched)
    formats = plain_formats(model.shape, recipe), plain_vision_formats(model.eyes.shape, recipe)
    return _with_eyes(model, model.eyes, *formats, calibrated, watched)


def _mixed(model: TextModel, calibrated: Calibrated | None, weight_bytes: int, watched: Progress) -> Codes:
    if model.eyes is None:
        assert calibrated is not None  # as checked
        return quantize_text(model, calibrated.sequences, weight_bytes, watched)
    matrices, read = matrices_of(model), matrix_reader(model)
    costs = rough_costs(noise_weights(model), read, matrices.formats, lambda: watched("costs", 0, 0))
    if calibrated is not None and calibrated.pictures is not None:
        eyes, forms = model.eyes, vision_matrices(model.eyes.shape).formats
        costs |= measure_vision_costs(eyes.shape, eyes.read, calibrated.pictures, forms, progress=watched)
    chosen = choose_formats(matrices, costs, weight_bytes)
    text = {name: form for name, form in chosen.items() if isinstance(form, Format)}
    vision = {name: form for name, form in chosen.items() if isinstance(form, TieredFormat)}
    return _with_eyes(model, model.eyes, text, vision, calibrated, watched)


def _with_eyes(
    model: TextModel,
    eyes: Eyes,
    text: Mapping[str, Format],
    vision: Mapping[str, TieredFormat],
    calibrated: Calibrated | None,
    watched: Progress,
) -> Codes:
    """Decoder and eyes in these formats: fitted to questions where there are some, else the nearest codes."""
    if calibrated is None or calibrated.pictures is None:
        return rounded(matrix_reader(model), {**text, **vision}, watched)
    sequences, placed = calibrated.sequences, (calibrated.placed, calibrated.blocks)
    moment = measure_head_moment(model, sequences, watched, *placed)
    return {
        **round_text(model, sequences, text, moment, watched, *placed),
        **round_vision(eyes.shape, eyes.read, calibrated.pictures, vision, watched),
    }


def check_recipe(recipe: TextRecipe, model: TextModel, *, has_texts: bool, has_size: bool) -> None:
    """Refuses a recipe that lacks what it needs.

    Args:
        recipe: of a variant.
        model: the checkpoint.
        has_texts: there are texts to calibrate on.
        has_size: there is a limit of size.

    Raises:
        UsageError: ``stored`` of a checkpoint without codes; ``mixed`` without texts or a size
            (of a model that also looks at pictures, without a size).
    """
    if recipe == "stored":
        stored_plan(model)
    elif model.eyes is not None:
        if recipe == "mixed" and not has_size:
            raise UsageError("recipe mixed: widths are chosen for a size", "add --max-size")
    elif recipe == "mixed" and not (has_texts and has_size):
        raise UsageError("recipe mixed: widths are chosen for a size, on texts", "add --max-size and --calib")


def _watching(advance: Callable[..., None]) -> Progress:
    def watched(step: str, done: int, total: int) -> None:
        advance()

    return watched
