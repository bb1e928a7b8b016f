"""Variants of a text model, in the order that was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from edgekit_export.architectures.shape import EMBEDDING, HEAD, MATRICES, DecoderShape
from edgekit_export.language.decoder import Read
from edgekit_export.language.linear import Weight
from edgekit_export.language.plans import TextRecipe, full_precision, stored_plan
from edgekit_export.language.staged import Plan
from edgekit_export.quantize.block_grid import Format, round_nearest
from edgekit_export.sources.text_model import TextModel

_INT8 = Format(8, 32, symmetric=True)
_INT4 = Format(4, 32)


def matrices(shape: DecoderShape) -> tuple[str, ...]:
    """Names of all tensors that are stored in codes."""
    layers = (f"layers.{i}.{name}.weight" for i in range(shape.layers) for name in MATRICES)
    return (EMBEDDING, *(() if shape.tied else (HEAD,)), *layers)


def formats_of(recipe: TextRecipe, shape: DecoderShape) -> dict[str, Format]:
    """Tensor → format of a recipe that needs no data: int4 has an 8-bit head, the best that its bytes can buy."""
    layers = _INT8 if recipe == "int8" else _INT4
    outside = (EMBEDDING, HEAD)
    return {name: _INT8 if name in outside else layers for name in matrices(shape)}


def plan_of(recipe: TextRecipe, model: TextModel) -> Plan:
    """The plan of a recipe that needs no data; weights are read and rounded when it is written.

    Raises:
        UsageError: ``stored`` of a checkpoint without codes.
    """
    if recipe == "stored":
        return stored_plan(model)
    precision = "int8" if recipe == "int8" else "int4"
    return Plan(recipe, _name(recipe), precision, _rounding(model, formats_of(recipe, model.shape)))


def _name(recipe: TextRecipe) -> str:
    return {"int8": "weight_only_wi8_b32", "int4": "weight_only_wi4_b32"}.get(recipe, recipe)


def _rounding(model: TextModel, formats: Mapping[str, Format]) -> Read:
    full = full_precision(model)

    def read(name: str) -> Weight:
        found = full(name)
        return round_nearest(found, formats[name]) if name in formats else found

    return read
