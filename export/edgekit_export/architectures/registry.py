"""The text models that are supported: one file each, one line here."""

from __future__ import annotations

from edgekit.errors import ModelError
from edgekit_export.architectures import gemma3, gemma3_pictures, idefics3, llama
from edgekit_export.architectures.architecture import Architecture
from edgekit_export.architectures.picture_family import PictureFamily

ARCHITECTURES: tuple[Architecture, ...] = (gemma3.ARCHITECTURE, llama.ARCHITECTURE)

WITH_PICTURES: tuple[PictureFamily, ...] = (gemma3_pictures.FAMILY, idefics3.FAMILY)
"""Those that also look at pictures."""


def by_gguf_name(name: object, where: str) -> Architecture:
    """The architecture of a GGUF file.

    Args:
        name: its ``general.architecture``.
        where: the file, for messages.

    Raises:
        ModelError: it is none that is supported; the message names those that are.
    """
    found = next((known for known in ARCHITECTURES if known.name == name), None)
    if found is None:
        raise ModelError(
            f"{where}: no way to export the architecture {str(name)[:80]!r}",
            f"supported are {', '.join(known.name for known in ARCHITECTURES)}",
        )
    return found


def by_class(name: str, where: str) -> Architecture:
    """The architecture of a transformers class.

    Args:
        name: first of ``architectures`` of ``config.json``.
        where: the file, for messages.

    Raises:
        ModelError: it is none that is supported; the message names those that are.
    """
    found = next((known for known in ARCHITECTURES if name in known.classes), None)
    if found is not None:
        return found
    classes = ", ".join(sorted(each for known in ARCHITECTURES for each in known.classes))
    raise ModelError(f"{where}: no way to export the architecture {name[:80]}", f"supported are {classes}")


def with_pictures(name: str) -> PictureFamily | None:
    """The family of a transformers class that also looks at pictures; ``None`` for any other class."""
    return next((known for known in WITH_PICTURES if name in known.classes), None)
