"""``--data rendered:lines?n=2000&seed=7``: rendered lines as evaluation data, found by entry point."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from edgekit.data.sample import Sample, Source, TruthKind
from edgekit.data.spec import DataSpec
from edgekit.errors import UsageError
from edgekit.types import Frame
from edgekit_export.data.lines import VERSION, render_line

DEFAULT_N = 2000


@dataclass(frozen=True, slots=True)
class RenderedLine:
    """One line, rendered when it is asked for; see :class:`edgekit.data.sample.Source`.

    A line is wholly determined by the renderer's version, the seed and its index, so its digest is made of these.
    """

    seed: int
    index: int
    truth: TruthKind = "text"
    count: int = 1
    recipe: str = ""

    @property
    def id(self) -> str:
        """``line 12 of seed 7``."""
        return f"line {self.index} of seed {self.seed}"

    @property
    def sha256(self) -> str:
        """Digest of version, seed and index."""
        return hashlib.sha256(
            f"edgekit rendered lines/{VERSION}/{self.seed}/{self.index}".encode()
        ).hexdigest()

    def samples(self) -> Iterator[Sample]:
        """The line with its text; see :class:`edgekit.data.sample.Source`."""
        line = render_line(self.seed, self.index)
        yield Sample(self.id, self.sha256, Frame(line.image, "rgb", name=self.id), line.text)


def open_rendered(spec: DataSpec) -> list[Source]:
    """Sources of ``rendered:lines``, with ``n`` and ``seed``; see :data:`edgekit.data.provided.Provider`.

    Raises:
        UsageError: something else than ``lines``, or an unknown option.
    """
    if spec.what != "lines":
        raise UsageError(
            f"data: {spec.text}: nothing called {spec.what!r} can be rendered", "expected rendered:lines"
        )
    spec.refuse_unknown("n", "seed")
    seed = spec.count("seed", 0)
    return [RenderedLine(seed, i) for i in range(spec.count("n", DEFAULT_N, least=1))]
