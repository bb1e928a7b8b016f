"""Which variants of a text model to make, and how each of their tensors is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from edgekit.errors import UsageError
from edgekit_export.architectures.shape import MATRICES
from edgekit_export.architectures.vision import POSITION
from edgekit_export.language.container import BROAD, NARROW
from edgekit_export.language.linear import Weight
from edgekit_export.language.staged import Plan, Precision
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.quantize.text_stream import dense
from edgekit_export.quantize.tiered import Tiered
from edgekit_export.sources.text_model import TextModel
from edgekit_export.vision.product import VisionWeight

Codes = Mapping[str, Blockwise | Tiered]
"""Matrices by name: of the decoder in blocks, of eyes in tiers."""

TextRecipe = Literal["stored", "int8", "int4", "mixed"]
"""``stored``: the codes that the checkpoint has, as they are."""


def default_recipes(model: TextModel) -> tuple[TextRecipe, ...]:
    """The checkpoint's own codes where it has any, else int8."""
    first = model.read(f"layers.0.{MATRICES[0]}.weight")
    return ("stored",) if isinstance(first, Blockwise) else ("int8",)


def full_precision(model: TextModel) -> Plan:
    """Each tensor in float32."""
    seen = None if model.eyes is None else model.eyes.read
    return Plan("fp32", "full_precision", "fp32", lambda name: dense(model, name), seen)


def stored_plan(model: TextModel) -> Plan:
    """The checkpoint's own codes.

    Raises:
        UsageError: it has none.
    """
    if default_recipes(model) != ("stored",):
        raise UsageError(
            f"{model.origin}: recipe stored: its weights are floats", "choose int8, int4 or mixed"
        )
    return Plan("stored", "as_stored", "mixed", model.read)


def widened(plan: Plan) -> Plan:
    """With codes of 5 to 7 bits in bytes, and of 2 and 3 in half bytes, as the engine takes them.

    Codes as wide as they are make a smaller file, and are widened when it is loaded: that takes longer (1.2 s for 0.7 s
    of Gemma 3 270M) and twice the memory for a moment.
    """

    def read(name: str) -> Weight:
        found = plan.read_text(name)
        if not isinstance(found, Blockwise):
            return found
        return replace(found, bits=NARROW if found.bits <= NARROW else BROAD)

    return replace(plan, read_text=read)


def coded_plan(name: str, recipe: str, model: TextModel, weights: Codes) -> Plan:
    """Weights of our own, all else as the checkpoint has it in float32; but positions of patches in float16."""

    def read_text(tensor: str) -> Weight:
        found = weights.get(tensor)
        assert not isinstance(found, Tiered)
        return dense(model, tensor) if found is None else found

    def read_vision(tensor: str) -> VisionWeight:
        found, eyes = weights.get(tensor), model.eyes
        assert eyes is not None and not isinstance(found, Blockwise)
        if found is not None:
            return found
        return eyes.read(tensor).astype(np.float16) if tensor == POSITION else eyes.read(tensor)

    return Plan(name, recipe, _precision(weights), read_text, None if model.eyes is None else read_vision)


def _precision(weights: Codes) -> Precision:
    """What most would call it."""
    widths = {weight.bits for weight in weights.values()}
    if widths == {8}:
        return "int8"
    return "int4" if widths == {4} else "mixed"
