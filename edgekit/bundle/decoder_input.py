"""How a language model is run: tokens in, what the decoder keeps in one shared buffer, and the words around it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from edgekit.bundle.fields import Line, MemberPath, Strict, Text
from edgekit.bundle.sound_input import Carried
from edgekit.bundle.step_input import Token, Tokens

Length: TypeAlias = Annotated[int, Meta(ge=1, le=131_072)]
"""Of a row of tokens."""


class TokenInput(Strict, frozen=True, tag="tokens", tag_field="kind"):
    """The ids of tokens, ``(1, tokens)`` int64, without anything else: for a graph that looks up their embeddings."""

    ids: Line


class DecoderInput(Strict, frozen=True, tag="decoder", tag_field="kind"):
    """A decoder's inputs: the tokens since its last call, and keys and values of those before in a shared buffer.

    The buffer has room for ``capacity`` tokens, as many as whoever runs it likes up to ``context``. Each pair of
    ``past`` is one array, given as input and taken as output alike: the graph writes the keys and values of the
    given tokens into it, at the place that the lengths tell.

    Attributes:
        tensor: input of the tokens.
        takes: what that is: ``embeddings`` ``(1, tokens, hidden)`` float32, or ``ids`` ``(1, tokens)`` int64.
        rows: input that says for which of the given tokens scores are wanted, ``(n,)`` int64.
        seqlens_k: input of the tokens in the buffer after this call, less one, ``(1,)`` int32.
        total_sequence_length: input of the tokens in the buffer after this call, a scalar int32.
        past: of each layer keys and values, ``(1, kv_heads, capacity, head_dim)`` float32.
        context: most tokens that the graph's position tables allow.
        chunk: most tokens of one call: longer prompts are given in parts. What a call needs for itself grows with it
            (of a model of 135 million parameters 20 MB at 128 tokens, 60 at 512), its speed hardly.
        both_ways: input that says whether the given tokens look at each other both ways, ``(1,)`` int32: 1 for the
            places of one picture, all of them in that call, else 0. Unset where tokens only ever look back.
    """

    tensor: Line
    takes: Literal["embeddings", "ids"]
    past: Annotated[tuple[Carried, ...], Meta(min_length=1, max_length=2048)]
    kv_heads: Annotated[int, Meta(ge=1, le=1024)]
    head_dim: Annotated[int, Meta(ge=1, le=1024)]
    context: Annotated[int, Meta(ge=2, le=131_072)]
    chunk: Length = 128
    rows: Line = "rows"
    seqlens_k: Line = "seqlens_k"
    total_sequence_length: Line = "total_sequence_length"
    both_ways: Line | UnsetType = UNSET


class LogitsHead(Strict, frozen=True, tag="logits_head", tag_field="op"):
    """Scores of the next token, and what makes tokens of texts and turns.

    Attributes:
        tensor: scores, ``(n, vocabulary)`` float32, a row for each of the input's ``rows``.
        tokenizer: member, a ``tokenizer.json`` of the tokenizers library.
        vocabulary: columns of the scores; every token of the tokenizer is below.
        ends: tokens that end an answer; they are no part of it.
        chat_template: member, a Jinja template of turns as transformers has it; ``None`` where the model knows none.
        first: token that every text begins with; ``None`` for none.
        token_texts: special tokens that the template may name, such as ``bos_token`` → text.
    """

    tensor: Line
    tokenizer: MemberPath
    vocabulary: Annotated[int, Meta(ge=2, le=2**24)]
    ends: Tokens
    chat_template: MemberPath | None = None
    first: Token | None = None
    token_texts: Annotated[dict[Line, Text], Meta(max_length=64)] = field(default_factory=dict)
