"""The card of a GGUF file: what its ``general.*`` keys say, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.bundle.manifest import Card
from edgekit_export.sources.huggingface.card import NOT_STATED, one_line
from edgekit_export.sources.text_model import CANNOT


def gguf_card(
    metadata: Mapping[str, Any], title: str, source: str, parameters: int, notices: tuple[str, ...]
) -> Card:
    """A card that invents nothing.

    Args:
        metadata: of the file.
        title: where the file has none.
        source: the file, without the folders that lead there: they are its user's business.
        parameters: count of weights.
        notices: members with texts that must travel along.
    """
    languages = metadata.get("general.languages")
    stated = [text for text in languages if isinstance(text, str)] if isinstance(languages, list) else []
    license_name = metadata.get("general.license")
    missing = [name for name, there in (("license", license_name), ("languages", stated)) if not there]
    return Card(
        title=one_line(str(metadata.get("general.name") or title)),
        task="generate",
        domain="text, continued",
        languages=tuple(one_line(language) for language in stated),
        input_range="text in the languages that it was trained on",
        cannot=(CANNOT,),
        license=one_line(license_name) if isinstance(license_name, str) else NOT_STATED,
        source=one_line(source),
        parameters=parameters,
        notes=f"the GGUF file does not state: {', '.join(missing)}" if missing else "",
        notices=notices,
    )
