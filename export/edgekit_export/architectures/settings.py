"""Numbers of a checkpoint's own description, which nobody has checked before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgekit.errors import ModelError

MAX_COUNT = 1 << 24
"""No size of a model is larger: rows of a vocabulary, tokens of a context."""

MAX_LAYERS = 1024
MAX_NUMBER = 1e12
"""Of bases, factors and scales; the largest base in use is 10 million."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``config.json``, or the metadata of a GGUF file.

    Attributes:
        values: by name; ``None`` counts as not there.
        where: the file, for messages.
    """

    values: Mapping[str, Any]
    where: str

    def has(self, key: str) -> bool:
        """Whether it says anything under this name."""
        return self.values.get(key) is not None

    def count(self, key: str, default: int | None = None, most: int = MAX_COUNT) -> int:
        """A whole number from 1 to ``most``.

        Raises:
            ModelError: it is missing without a default, or is something else.
        """
        value = self._value(key, default)
        if type(value) is not int or not 1 <= value <= most:
            raise ModelError(
                f"{self.where}: {key}: expected a whole number from 1 to {most}, got {_cut(value)}"
            )
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A number above zero, :data:`MAX_NUMBER` at most.

        Raises:
            ModelError: it is missing without a default, or is something else.
        """
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_NUMBER:
            raise ModelError(
                f"{self.where}: {key}: expected a number above 0 and to {MAX_NUMBER:g}, got {_cut(value)}"
            )
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        """True or false.

        Raises:
            ModelError: it is something else.
        """
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise ModelError(f"{self.where}: {key}: expected true or false, got {_cut(value)}")
        return value

    def expect(self, key: str, *choices: object) -> None:
        """Refuses what the graphs cannot do; what is not there is as expected.

        Raises:
            ModelError: it is none of ``choices``.
        """
        value = self.values.get(key)
        if value is not None and value not in choices:
            known = " or ".join(str(choice) for choice in choices) or "none"
            raise ModelError(
                f"{self.where}: {key} is {_cut(value)}, and text models are supported with {known} only"
            )

    def _value(self, key: str, default: object) -> Any:  # noqa: ANN401 (what the file has there)
        value = self.values.get(key)
        value = default if value is None else value
        if value is None:
            raise ModelError(f"{self.where}: {key} is missing", "the file is damaged, or not whole")
        return value


def _cut(value: object) -> str:
    return f"a {type(value).__name__}" if isinstance(value, dict | list) else repr(value)[:80]
