"""How long work is watched: a callable that is told about every step."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with a step's name, how much of it is done, and how much there is (0 where unknown)."""


def silent(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
