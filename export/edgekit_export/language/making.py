"""Variants of a text model, in the order that was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.errors import UsageError
from edgekit_export.language.plans import TextRecipe, stored_plan
from edgekit_export.language.staged import Plan
from edgekit_export.sources.text_model import TextModel


def plans_of(model: TextModel, recipes: tuple[TextRecipe, ...]) -> Iterator[Plan]:
    """One plan a recipe; weights are read and rounded when a plan is written."""
    for recipe in recipes:
        if recipe == "stored":
            yield stored_plan(model)
        else:
            raise UsageError(f"recipe {recipe}: not yet")
