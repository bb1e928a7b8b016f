"""A text model as an exporter reads it: its shape, its tensors one at a time, its tokenizer and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edgekit.bundle.manifest import Card
from edgekit.types import F32
from edgekit_export.architectures.shape import DecoderShape
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.sources.eyes import Eyes

TURN_ENDS = (
    "<end_of_turn>", "<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>",
    "<end_of_utterance>",
)  # fmt: skip
"""Special tokens that end an answer wherever they are known, as llama.cpp takes them too: files often name one only."""

CANNOT = "know what is true: it states falsehoods with confidence"
"""Of every language model's card."""


@dataclass(frozen=True, slots=True)
class Words:
    """How text becomes tokens and back.

    Attributes:
        tokenizer: a ``tokenizer.json``.
        chat_template: Jinja, as transformers has it; empty where the model knows no turns.
        first: token that every text begins with; ``None`` for none.
        ends: tokens that end an answer.
        token_texts: special tokens that a template may name: ``bos_token`` → text.
    """

    tokenizer: bytes
    chat_template: str
    first: int | None
    ends: tuple[int, ...]
    token_texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class TextModel:
    """A checkpoint.

    Attributes:
        name: of the bundle, unless told otherwise.
        origin: what was asked for, as the lock names it.
        shape: its architecture.
        read: reads one tensor by name, now: float32, or in codes where the file has codes that we hold exactly.
            Nothing is kept: a tensor is read as often as it is asked for.
        words: its tokenizer.
        card: title, licence and the rest.
        sha256: of the weights' file, or of the digests of several.
        notices: member path → licence texts that must travel along.
        eyes: with which it also looks at pictures; ``None`` for a model of text alone.
        remarks: what could not be read exactly, a line each; empty where all was.
    """

    name: str
    origin: str
    shape: DecoderShape
    read: Callable[[str], F32 | Blockwise]
    words: Words
    card: Card
    sha256: str
    notices: dict[str, bytes] = field(default_factory=dict)
    eyes: Eyes | None = None
    remarks: tuple[str, ...] = ()
