"""``--data rendered:lines?n=2000&seed=7``, ``pages`` and more: data that is made when asked for, by entry point."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from edgekit.data.need import Need
from edgekit.data.sample import Sample, Source, TrueBoxes, Truth, TruthKind
from edgekit.data.spec import DataSpec
from edgekit.errors import UsageError
from edgekit.processing.reading_order import reading_order
from edgekit.types import U8, Frame, Sound
from edgekit_export.data import documents, english, lines, pages, receipts, spoken, topics, voices


def _line(seed: int, index: int, need: Need) -> tuple[U8, Truth]:
    line = lines.render_line(seed, index)
    return line.image, line.text


def _document(seed: int, index: int, need: Need) -> tuple[U8, Truth]:
    page = documents.render_document(seed, index)
    if need.truth != "boxes" or need.labels is None:
        return page.image, "\n".join(text for _, text in page.lines)
    where = f"documents {index} of seed {seed}"
    index_of = np.array([need.labels.find(kind, where) for kind, _ in page.parts], np.int32)
    boxes = np.array([box for _, box in page.parts], np.float32)
    return page.image, TrueBoxes(boxes, index_of, np.zeros(len(boxes), bool))


def _page(seed: int, index: int, need: Need) -> tuple[U8, Truth]:
    page = pages.render_page(seed, index)
    return page.image, "\n".join(page.texts[i] for i in reading_order(page.quads))


def _receipt(seed: int, index: int, need: Need) -> tuple[U8, Truth]:
    receipt = receipts.render_receipt(seed, index)
    return receipt.image, "\n".join(receipt.texts[i] for i in reading_order(receipt.quads))


def _voice(seed: int, index: int, need: Need) -> tuple[Sound, Truth]:
    return voices.draw_voice(1_000_000 * seed + index, voices.SAMPLE_S), None


def _topic(seed: int, index: int, need: Need) -> tuple[str, Truth]:
    text, topic = topics.write_sentence(seed, index)
    known = need.truth == "label" and need.labels is not None
    return text, need.labels.find(topic, f"topics {index} of seed {seed}") if known and need.labels else None


def _english(seed: int, index: int, need: Need) -> tuple[str, Truth]:
    return english.text(index), None


def _spoken(seed: int, index: int, need: Need) -> tuple[Sound, Truth]:
    sound, text = spoken.speak(1_000_000 * seed + index)
    return sound, text if need.truth == "text" else None


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that can be rendered.

    Attributes:
        render: seed, index, what the task needs → ``(height, width, 3)`` uint8 RGB, a sound or a text, and what is
            known of it: the text in it, in reading order, or of documents the boxes of their parts.
        version: of the renderer, part of every digest.
        default_n: how many unless told otherwise.
        truths: what can be known of it.
    """

    render: Callable[[int, int, Need], tuple[U8 | Sound | str, Truth]]
    version: int
    default_n: int
    truths: tuple[TruthKind, ...] = ("text",)


KINDS = {
    "lines": Kind(_line, lines.VERSION, 2000),
    "pages": Kind(_page, pages.VERSION, 200),
    "receipts": Kind(_receipt, receipts.VERSION, 200),
    "documents": Kind(_document, documents.VERSION, 100, ("text", "boxes")),
    "spoken": Kind(_spoken, spoken.VERSION, 200, ("none", "text")),
    "voices": Kind(_voice, voices.VERSION, 200, ("none",)),
    "english": Kind(_english, english.VERSION, english.COUNT, ("none",)),
    "topics": Kind(_topic, topics.VERSION, 400, ("label",)),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One picture, rendered when it is asked for; see :class:`edgekit.data.sample.Source`.

    The renderer's version, the seed and the index determine it wholly, so its digest is made of these.
    """

    kind: str
    seed: int
    index: int
    need: Need
    count: int = 1
    recipe: str = ""

    @property
    def truth(self) -> TruthKind:
        """What the task needs, of what can be known of it; else the first of that."""
        truths = KINDS[self.kind].truths
        return self.need.truth if self.need.truth in truths else truths[0]

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
        """The picture with its truth; see :class:`edgekit.data.sample.Source`."""
        made, truth = KINDS[self.kind].render(self.seed, self.index, self.need)
        content = made if isinstance(made, Sound | str) else Frame(made, "rgb", name=self.id)
        yield Sample(self.id, self.sha256, lambda: content, truth)


def open_rendered(spec: DataSpec, need: Need) -> list[Source]:
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
    if spec.what == "spoken":
        spoken.require_espeak()
    seed = spec.count("seed", 0)
    return [
        Rendered(spec.what, seed, i, need)
        for i in range(spec.count("n", KINDS[spec.what].default_n, least=1))
    ]
