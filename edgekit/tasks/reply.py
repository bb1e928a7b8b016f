"""An answer while it is made."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from edgekit.types import Generation


class Reply(Iterator[str]):
    """Pieces of an answer's text, each as soon as it is there, and in the end the whole of it.

    Args:
        pieces: gives the pieces, returns the answer.
    """

    def __init__(self, pieces: Generator[str, None, Generation]) -> None:
        self._pieces = pieces
        self._answer: Generation | None = None

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as stop:
            self._answer = stop.value or self._answer
            raise

    @property
    def generation(self) -> Generation:
        """The answer; what is not made yet is made now."""
        for _ in self:
            pass
        assert self._answer is not None  # a generator that ends returns it
        return self._answer
