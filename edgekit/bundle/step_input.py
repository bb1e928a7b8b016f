"""How a decoder is run, token by token: what it is given, what it keeps, and how its tokens become text."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

from edgekit.bundle.fields import Line, MemberPath, Strict
from edgekit.bundle.sound_input import Carried

Token: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Tokens: TypeAlias = Annotated[tuple[Token, ...], Meta(max_length=65_536)]


class StepInput(Strict, frozen=True, tag="step", tag_field="kind"):
    """A decoder's inputs: the tokens since its last call, ``(1, tokens)`` int64, what it keeps of those before, and
    what another graph remembers. One graph serves the prompt (several tokens) and each step (one).

    Attributes:
        ids: input of the token ids.
        carried: keys and values of earlier tokens, ``(1, heads, tokens, width)``: those of the first call have no
            tokens, and each call gives them back with its own behind.
        memory: inputs that take the ``encode`` role's outputs of the same names, the same in every call.
    """

    ids: Line
    carried: Annotated[tuple[Carried, ...], Meta(max_length=1024)] = ()
    memory: Annotated[tuple[Line, ...], Meta(max_length=1024)] = ()


class MemoryHead(Strict, frozen=True, tag="memory_head", tag_field="op"):
    """Outputs of an encoder as they are, for the decoder's inputs of the same names."""

    tensors: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=1024)]


class TokenHead(Strict, frozen=True, tag="token_head", tag_field="op"):
    """Scores of the next token, and how a text is made by always taking the best one.

    Attributes:
        tensor: scores after each given token, ``(1, tokens, vocabulary)``; the last row decides.
        tokenizer: member, a ``tokenizer.json`` of the tokenizers library; special tokens are no part of the text.
        prompt: tokens that are given first.
        languages: where there are any, the best of these after ``prompt`` follows it.
        task: tokens that are given then.
        suppress: tokens that are never taken.
        suppress_first: tokens that are not taken first.
        end: the text ends before this token.
        max_tokens: prompt and text together.
    """

    tensor: Line
    tokenizer: MemberPath
    prompt: Annotated[tuple[Token, ...], Meta(min_length=1, max_length=1024)]
    end: Token
    max_tokens: Annotated[int, Meta(ge=2, le=131_072)]
    languages: Tokens = ()
    task: Tokens = ()
    suppress: Tokens = ()
    suppress_first: Tokens = ()
