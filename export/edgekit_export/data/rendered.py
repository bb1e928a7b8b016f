"""``--data rendered:lines?n=2000&seed=7`` and ``rendered:pages``: rendered text as data, found by entry point."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edgekit.data.sample import Sample, Source, TruthKind
from edgekit.data.spec import DataSpec
from edgekit.errors import UsageError
from edgekit.processing.quads import reading_order
from edgekit.types import U8, Frame
from edgekit_export.data import lines, pages


def _line(seed: int, index: int) -> tuple[U8, str]:
    line = lines.render_line(seed, index)
    return line.image, line.text


def _page(seed: int, index: int) -> tuple[U8, str]:
    page = pages.render_page(seed, index)
    return page.image, "\n".join(page.texts[i] for i in reading_order(page.quads))


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that can be rendered.

    Attributes:
        render: seed, index → ``(height, width, 3)`` uint8 RGB and the text in it, in reading order.
        version: of the renderer, part of every digest.
        default_n: how many unless told otherwise.
    """

    render: Callable[[int, int], tuple[U8, str]]
    version: int
    default_n: int


KINDS = {"lines": Kind(_line, lines.VERSION, 2000), "pages": Kind(_page, pages.VERSION, 200)}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One picture, rendered when it is asked for; see :class:`edgekit.data.sample.Source`.

    The renderer's version, the seed and the index determine it wholly, so its digest is made of these.
    """

    kind: str
    seed: int
    index: int
    truth: TruthKind = "text"
    count: int = 1
    recipe: str = ""

    @property
    def id(self) -> str:
        """``lines 12 of seed 7``."""
        return f"{self.kind} {self.index} of seed {self.seed}"

    @property
    def sha256(self) -> str:
        """Digest of kind, version, seed and index."""
        version = KINDS[self.kind].version
        return hashlib.sha256(
            f"edgekit rendered {self.kind}/{version}/{self.seed}/{self.index}".encode()
        ).hexdigest()

    def samples(self) -> Iterator[Sample]:
        """The picture with its text; see :class:`edgekit.data.sample.Source`."""
        image, text = KINDS[self.kind].render(self.seed, self.index)
        yield Sample(self.id, self.sha256, lambda: Frame(image, "rgb", name=self.id), text)


def open_rendered(spec: DataSpec) -> list[Source]:
    """Sources of ``rendered:KIND``, with ``n`` and ``seed``; see :data:`edgekit.data.provided.Provider`.

    Raises:
        UsageError: something that cannot be rendered, or an unknown option.
    """
    if spec.what not in KINDS:
        raise UsageError(
            f"data: {spec.text}: nothing called {spec.what!r} can be rendered",
            f"expected {' or '.join(f'rendered:{kind}' for kind in KINDS)}",
        )
    spec.refuse_unknown("n", "seed")
    seed = spec.count("seed", 0)
    return [Rendered(spec.what, seed, i) for i in range(spec.count("n", KINDS[spec.what].default_n, least=1))]
