"""The weights of each variant of a text model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from edgekit.data.dataset import Dataset
from edgekit.errors import UsageError
from edgekit.types import Array
from edgekit_export.language.matrices import matrices_of, matrix_reader, noise_weights
from edgekit_export.language.plans import Codes, TextRecipe, coded_plan, stored_plan
from edgekit_export.language.staged import Plan
from edgekit_export.quantize.block_grid import Format
from edgekit_export.quantize.nearest import rounded
from edgekit_export.quantize.progress import Progress
from edgekit_export.quantize.rough_costs import rough_costs
from edgekit_export.quantize.text_calibration import calibration_sequences
from edgekit_export.quantize.text_quantize import plain_formats, quantize_plainly, quantize_text
from edgekit_export.quantize.tiered import TieredFormat
from edgekit_export.quantize.vision_widths import plain_vision_formats
from edgekit_export.quantize.widths import choose_formats
from edgekit_export.sources.text_model import TextModel
from edgekit_export.variants import Progress as Shown
from edgekit_export.vocabulary.counts import read_library

BESIDE_BYTES = 700_000
"""Graphs, golden vectors, manifest and padding of a bundle: what a search for widths leaves room for."""


def plan_of(
    recipe: TextRecipe, model: TextModel, calibration: Dataset | None, weight_bytes: int | None, shown: Shown
) -> Plan:
    """What to write for a recipe; ``stored`` reads its codes when it is written, the others are rounded here.

    Args:
        recipe: of the variant.
        model: the checkpoint.
        calibration: texts that rounding is fitted to; ``None`` for the nearest codes.
        weight_bytes: most bytes of codes, scales and zero points; only ``mixed`` asks.
        shown: told about the work.

    Raises:
        UsageError: see :func:`check_recipe`.
        DataError: as :func:`quantize_text` says.
    """
    check_recipe(recipe, model, has_texts=calibration is not None, has_size=weight_bytes is not None)
    if recipe == "stored":
        return stored_plan(model)
    sequences = None if calibration is None else _sequences(model, calibration)
    matrices = matrices_of(model)
    passes = 3 if recipe == "mixed" else 2  # over the layers: forward, for widths also backward, and rounding
    looks = 2 if recipe == "mixed" else 1  # at each matrix: for its costs, and to round it
    steps = looks * len(matrices.sizes) if sequences is None else passes * model.shape.layers
    with shown(f"{recipe}, rounding", steps) as advance:
        watched = _watching(advance)
        if recipe == "mixed":
            assert weight_bytes is not None  # as checked
            name, made = "weight_only_mixed", _mixed(model, sequences, weight_bytes, watched)
        else:
            name = f"weight_only_wi{recipe.removeprefix('int')}"
            made = _plain(model, recipe, sequences, watched)
    return coded_plan(recipe, name, model, made)


def plain_bytes(model: TextModel, recipe: Literal["int8", "int4"]) -> int:
    """Of all codes of a recipe with one width."""
    formats: dict[str, Format | TieredFormat] = {**plain_formats(model.shape, recipe)}
    if model.eyes is not None:
        formats |= plain_vision_formats(model.eyes.shape, recipe)
    sizes = matrices_of(model).sizes
    return sum(form.stored_bytes(*sizes[name]) for name, form in formats.items())


def _sequences(model: TextModel, calibration: Dataset) -> Array:
    library = read_library(model.words.tokenizer)
    texts = (str(sample.content) for sample in calibration)
    return calibration_sequences(
        texts, lambda text: library.encode(text, add_special_tokens=False).ids, model.words.first
    )


def _plain(
    model: TextModel, recipe: Literal["int8", "int4"], sequences: Array | None, watched: Progress
) -> Codes:
    text = quantize_plainly(model, recipe, sequences, watched)
    if model.eyes is None:
        return text
    return {**text, **rounded(matrix_reader(model), plain_vision_formats(model.eyes.shape, recipe), watched)}


def _mixed(model: TextModel, sequences: Array | None, weight_bytes: int, watched: Progress) -> Codes:
    if sequences is not None:
        return quantize_text(model, sequences, weight_bytes, watched)
    matrices, read = matrices_of(model), matrix_reader(model)
    costs = rough_costs(noise_weights(model), read, matrices.formats, lambda: watched("costs", 0, 0))
    return rounded(read, choose_formats(matrices, costs, weight_bytes), watched)


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
