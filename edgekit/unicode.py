"""File names that are no UTF-8, in output that must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def encodable(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """A JSON value in which bytes of a name that are no UTF-8 appear as they do on a terminal: ``\\udce9``."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {encodable(key): encodable(item) for key, item in value.items()}
    return [encodable(item) for item in value] if isinstance(value, list | tuple) else value
