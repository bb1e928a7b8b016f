"""The cards of the catalogue, read from ``models/*/card.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from edgekit.bundle.card import Card
from edgekit.catalog.models import model_folder, model_names, models_folder
from edgekit.errors import DataError


def load_cards(folder: Path | None = None) -> dict[str, Card]:
    """Name of a model → its card, sorted by name.

    Args:
        folder: that holds a folder a model; edgekit's own where ``None``.

    Raises:
        DataError: a card cannot be read or breaks the schema; the message names file and key.
    """
    place = folder or models_folder()
    return {name: read_card(place / name / "card.toml") for name in model_names(place)}


def load_card(name: str) -> Card:
    """The card of one of edgekit's own models.

    Raises:
        UsageError: no such model; the message lists those there are.
        DataError: its card cannot be read or breaks the schema.
    """
    return read_card(model_folder(name) / "card.toml")


def read_card(path: Path) -> Card:
    """One ``card.toml``.

    Raises:
        DataError: it cannot be read, is no TOML, or breaks the schema.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Card)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is no TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise DataError(f"{path}: {error}", "docs/catalogue.md has the keys of a card") from error
