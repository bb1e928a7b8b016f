"""An answer while it is made."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from edgekit.errors import UsageError
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
        """The answer; what is not made yet is made now.

        Raises:
            UsageError: it failed before it was whole, and that was told already.
        """
        for _ in self:
            pass
        if self._answer is None:  # a generator that ends returns it; one that failed has no more to say
            raise UsageError("answer: it failed before it was whole", "ask again")
        return self._answer
