"""The folder of a model that a recipe names on the Hugging Face hub: from there, or where its user has it."""

from __future__ import annotations

from pathlib import Path

from edgekit.errors import UsageError
from edgekit_export.sources.huggingface.folder import HfFolder, is_hf_folder, open_hf_folder
from edgekit_export.sources.huggingface.hub import fetch_hub


def named_folder(hub: str, name: str, folder: Path | None = None) -> HfFolder:
    """The model's folder.

    Args:
        hub: ``owner/name`` or ``owner/name@revision``.
        name: of the recipe, for messages.
        folder: to take instead of the hub's, as ``save_pretrained`` writes it.

    Raises:
        UsageError: ``folder`` is none.
        ModelError: the hub has no such model, or none whose weights are safe to load.
        EnvironmentLacks: the hub cannot be reached, or wants to know who asks.
    """
    if folder is not None:
        if not is_hf_folder(folder):
            raise UsageError(
                f"--weights {folder}: expected a folder with config.json, as the hub has {hub} for {name}",
                "write one with transformers: save_pretrained(FOLDER), and its tokenizer or processor beside it",
            )
        return open_hf_folder(folder, str(folder))
    there, _, revision = hub.partition("@")
    return open_hf_folder(*fetch_hub(there, revision or None))
