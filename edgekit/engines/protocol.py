"""What an engine is to the rest of edgekit: a file in, a session out, arrays through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

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
        context: of language models: most tokens that are kept at once; as many as the bundle allows by default.
        memory_cap_bytes: of language models: most bytes that weights and kept tokens may take together.
        frugal: of graphs that run now and then, whether an engine that keeps a run's memory for the next one gives it
            back: SmolVLM-256M's vision takes 221 MB then and not 424, and 5 % longer.
    """

    threads: int = 2
    optimization: Literal["all", "none"] = "all"
    context: int | None = None
    memory_cap_bytes: int | None = None
    frugal: bool = False

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


class DecoderSession(Session, Protocol):
    """A loaded decoder, some of whose inputs and outputs are arrays of the caller's, each both at once.

    ``inputs`` and ``outputs`` are the others. What the graph writes is written into the caller's arrays: no call
    copies or allocates them.
    """

    @property
    def shared(self) -> tuple[TensorSpec, ...]:
        """The inputs that take the caller's arrays, in the order of the pairs they were asked for in."""
        ...

    def attach(self, buffers: Sequence[Array]) -> None:
        """Gives the session the arrays that all further calls read and write, one a ``shared`` input.

        Raises:
            ModelError: an array of another dtype or shape than its input, or one that is not contiguous.
        """
        ...


@runtime_checkable
class DecoderEngine(Engine, Protocol):
    """An engine that can run decoders on buffers of the caller's."""

    def load_decoder(
        self, path: Path, options: EngineOptions, pairs: Sequence[tuple[str, str]]
    ) -> DecoderSession:
        """Loads a decoder's model file.

        Args:
            path: the file.
            options: how the engine runs.
            pairs: input and output that share an array.

        Raises:
            ModelError: as :meth:`Engine.load`, or the graph has no such inputs and outputs.
        """
        ...
