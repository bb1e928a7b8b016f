"""What an engine is to the rest of edgekit: a file in, a session out, arrays through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from edgekit.processing.codes import Codes
from edgekit.types import Array


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A graph's input or output, as :meth:`Session.run` takes and gives it.

    Attributes:
        name: unique among inputs, and among outputs.
        dtype: numpy's name of it.
        shape: ``None`` is a dynamic dimension.
        codes: where the file stores integer codes and the session real values: how it converts them.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    codes: Codes | None = None

    @property
    def form(self) -> str:
        """Dtype and shape for a message, such as ``float32 ?×96×96×3``."""
        return f"{self.dtype} {'×'.join('?' if size is None else str(size) for size in self.shape)}"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a session runs. What is measured is what ships: every command uses these same options.

    Attributes:
        threads: threads inside one operator; explicit, so that a figure can be repeated.
        optimization: the engine's graph optimisation. ``"none"`` exists to prove that it changes nothing.
    """

    threads: int = 2
    optimization: Literal["all", "none"] = "all"

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 256:
            raise ValueError(f"threads: expected 1 to 256, got {self.threads}")


class Session(Protocol):
    """A loaded graph. Not thread-safe: one caller at a time."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The graph's inputs, in its order."""
        ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The graph's outputs, in its order."""
        ...

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Runs the graph once.

        Args:
            feeds: one array an input, of its dtype and shape; inputs with codes take uint8 as well.

        Returns:
            One array an output, in the graph's order.

        Raises:
            ModelError: the engine failed; the message carries its own.
        """
        ...


class Engine(Protocol):
    """Loads model files of one or more formats."""

    name: str
    formats: frozenset[str]

    @property
    def version(self) -> str:
        """The engine's own version, as reports name it."""
        ...

    def load(self, path: Path, options: EngineOptions) -> Session:
        """Loads a model file (with its external data beside it).

        Raises:
            ModelError: missing, truncated, foreign, or refused by the engine.
        """
        ...
