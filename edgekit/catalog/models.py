"""The models that edgekit knows by name: their folders, packaged into the wheel as data."""

from __future__ import annotations

from pathlib import Path

from edgekit.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent.parent


def models_folder() -> Path:
    """The folder that holds a folder a model: in the installed package, or in the checkout it runs from."""
    packaged = _PACKAGE / "_models"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "models"


def model_names(folder: Path | None = None) -> list[str]:
    """Names of all models that have a card, sorted."""
    return sorted(path.parent.name for path in (folder or models_folder()).glob("*/card.toml"))


def model_folder(name: str) -> Path:
    """The folder of a model by its name.

    Raises:
        UsageError: no such model; the message lists those there are.
    """
    names = model_names()
    if name not in names:
        raise UsageError(f"model {name!r} is not in the catalogue", f"it has: {', '.join(names)}")
    return models_folder() / name
