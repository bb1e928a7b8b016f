"""A language model's graphs as one thing: tokens in, scores of the next ones out, and what was said is remembered.

Places of pictures go in as tokens do: their embeddings are rows of features.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from msgspec import UNSET

from edgekit.bundle.manifest import DecoderInput, LogitsHead, MemoryHead, Model, TokenInput, Variant
from edgekit.engines.protocol import DecoderEngine, DecoderSession, Engine, EngineOptions, Session
from edgekit.errors import BundleError, EnvironmentLacks, UsageError
from edgekit.tasks.given import Features, ImageToken, Item
from edgekit.tasks.outputs import output_index
from edgekit.tasks.trace import Trace
from edgekit.tasks.vision import KEPT_BYTES, VISION
from edgekit.types import F32, Array

EMBED, DECODE = "embed", "decode"
"""Roles of the graph that looks up embeddings, and of the decoder."""


class Decoder(Protocol):
    """Remembers the items that it was given, up to a capacity.

    Attributes:
        sessions: role → loaded graph.
        capacity: most items that it remembers.
        chunk: most items of one call.
        both_ways: the places of a picture look at each other both ways, so that they are one call, and all of it.
        items: those that it remembers, in order.
    """

    sessions: Mapping[str, Session]
    capacity: int
    chunk: int
    both_ways: bool
    items: list[Item]

    def rewind(self, length: int) -> None:
        """Forgets all items but the first ``length``; costs nothing."""
        ...

    def extend(
        self,
        items: Sequence[Item],
        rows: Sequence[int],
        trace: Trace | None = None,
        features: Features = {},  # noqa: B006 (nobody writes into it)
    ) -> F32:
        """Gives it the next items, in one call.

        Args:
            items: 1 to ``chunk`` of them, at most as many as there is room for.
            rows: which of them scores are wanted after, by their place among ``items``.
            trace: receives stage times and engine calls.
            features: of the tiles that they name.

        Returns:
            ``(rows, vocabulary)`` float32.

        Raises:
            BundleError: the graph gives something else, or has no embedding for a token.
            ModelError: the engine failed; what was remembered before still is.
        """
        ...


class BufferedDecoder:
    """A decoder on keys and values in arrays of ours, which its graph writes in place; see :class:`Decoder`.

    Args:
        variant: its roles ``embed`` and ``decode``, or ``decode`` without ``embed`` where that takes ids.
        folder: holds the members that it names.
        engine: loads the graphs.
        options: how the engine runs, how much context, and how many bytes may be used.

    Raises:
        BundleError: the variant has other graphs, or they have not the inputs and outputs that it says.
        EnvironmentLacks: this engine cannot run decoders.
        ModelError: the engine refuses a graph.
        UsageError: more context than the bundle allows, or more memory than ``options`` allow.
    """

    def __init__(self, variant: Variant, folder: Path, engine: Engine, options: EngineOptions) -> None:
        model = variant.models[DECODE]
        if not isinstance(model.input, DecoderInput) or not isinstance(model.head, LogitsHead):
            raise BundleError(f"variant {variant.name}: {DECODE} expects a decoder input and a logits_head")
        if not isinstance(engine, DecoderEngine):
            raise EnvironmentLacks(f"engine {engine.name}: cannot run decoders", "leave --engine out")
        self._spec, self._head = model.input, model.head
        self.capacity = capacity(self._spec, options)
        check_memory(variant, self._spec, self.capacity, options)
        self.chunk = self._spec.chunk
        self.both_ways = self._spec.both_ways is not UNSET
        self.items: list[Item] = []
        pairs = [(pair.input, pair.output) for pair in self._spec.past]
        self._session: DecoderSession = engine.load_decoder(folder / model.path, options, pairs)
        _check_inputs(model.path, self._session, self._spec)
        output_index(self._session, model, self._head.tensor, variant)
        if len(self._session.outputs) != 1:
            raise BundleError(f"{model.path}: expected no outputs but {self._head.tensor} and those of past")
        self.sessions: Mapping[str, Session] = {DECODE: self._session}
        self._embed: Session | None = None
        if self._spec.takes == "embeddings":
            self._embed, self._ids = _load_embed(variant, folder, engine, options)
            self.sessions = {EMBED: self._embed, **self.sessions}
        elif EMBED in variant.models:
            raise BundleError(f"variant {variant.name}: expected no {EMBED}, {DECODE} takes ids")
        self._session.attach(zeros(len(pairs), (1, self._spec.kv_heads, self.capacity, self._spec.head_dim)))

    def rewind(self, length: int) -> None:
        """See :class:`Decoder`. What lies behind is written over."""
        del self.items[length:]

    def extend(
        self,
        items: Sequence[Item],
        rows: Sequence[int],
        trace: Trace | None = None,
        features: Features = {},  # noqa: B006 (nobody writes into it)
    ) -> F32:
        """See :class:`Decoder`."""
        spec, head = self._spec, self._head
        total = len(self.items) + len(items)
        if not 1 <= len(items) <= self.chunk or total > self.capacity:
            raise ValueError(f"{len(items)} items behind {len(self.items)} of {self.capacity}")
        ahead = self.both_ways and _is_picture(items, features)
        feeds = {
            spec.tensor: self._given(items, features, trace),
            spec.rows: np.array(rows, np.int64),
            spec.seqlens_k: np.array([total - 1], np.int32),
            spec.total_sequence_length: np.array(total, np.int32),
        }
        if spec.both_ways is not UNSET:
            feeds[spec.both_ways] = np.array([ahead], np.int32)
        (scores,) = _run(trace, DECODE, self._session, feeds)
        if scores.shape != (len(rows), head.vocabulary) or scores.dtype != np.float32:
            got = f"{scores.dtype} {scores.shape}"
            raise BundleError(f"{head.tensor}: expected float32 {(len(rows), head.vocabulary)}, got {got}")
        self.items += items
        return scores

    def _given(self, items: Sequence[Item], features: Features, trace: Trace | None) -> Array:
        """What the decoder takes: ids, or embeddings with features in the places of pictures."""
        ids = np.array([[item if isinstance(item, int) else 0 for item in items]], np.int64)
        if ids.max() >= self._head.vocabulary:
            raise BundleError(
                f"{self._head.tokenizer}: gives token {ids.max()}, the decoder knows {self._head.vocabulary}"
            )
        if self._embed is None:
            return ids
        (embeddings,) = _run(
            trace, EMBED, self._embed, {self._ids: ids}, frozenset(spec.name for spec in self._embed.outputs)
        )
        places = [(place, item) for place, item in enumerate(items) if isinstance(item, ImageToken)]
        if places and (embeddings.ndim != 3 or embeddings.shape[:2] != ids.shape):
            raise BundleError(f"{EMBED}: gives {embeddings.shape} for {len(items)} tokens")
        if places:
            embeddings = embeddings.copy()  # a trace keeps what the graph gave
        for place, (tile, row) in places:
            embeddings[0, place] = features[tile][row]
        return embeddings


def _is_picture(items: Sequence[Item], features: Features) -> bool:
    """Whether a call's items are a picture, all of it; a text has nothing of one.

    Raises:
        ValueError: neither.
    """
    seen = [item for item in items if isinstance(item, ImageToken)]
    if seen and seen != [ImageToken(seen[0].tile, row) for row in range(len(features[seen[0].tile]))]:
        raise ValueError(f"{len(seen)} places of pictures, expected those of one picture")
    if seen and len(seen) != len(items):
        raise ValueError(f"{len(seen)} places of a picture among {len(items)}, expected nothing else")
    return bool(seen)


def zeros(count: int, shape: tuple[int, ...]) -> list[F32]:
    """Arrays of zeros that take memory as they are written, page by page, whatever was freed before.

    (``np.zeros`` clears memory that the C library has kept, and so takes all of it at once.)

    Raises:
        UsageError: the machine has not so much memory.
    """
    size = math.prod(shape)
    try:
        pages = mmap.mmap(-1, count * size * 4, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"context: keys and values need {count * size * 4:,} bytes, more than this machine has",
            "choose a smaller context",
        ) from error
    whole = np.frombuffer(pages, np.float32)
    return [whole[i * size : (i + 1) * size].reshape(shape) for i in range(count)]


def capacity(spec: DecoderInput, options: EngineOptions) -> int:
    """Tokens that the buffer gets room for.

    Raises:
        UsageError: more than the graph's tables allow.
    """
    if options.context is None:
        return spec.context
    if not 2 <= options.context <= spec.context:
        raise UsageError(
            f"context: expected 2 to {spec.context} tokens, which this bundle allows, got {options.context}",
            "choose a smaller context, or export the bundle with a larger one",
        )
    return options.context


def check_memory(variant: Variant, spec: DecoderInput, tokens: int, options: EngineOptions) -> None:
    """Checks, before anything is allocated, that all stays below the cap, if there is one.

    That is the weights of all graphs, a full buffer, and the features that ``vision`` may keep.

    Raises:
        UsageError: it does not.
    """
    token_bytes = len(spec.past) * spec.kv_heads * spec.head_dim * 4
    features = KEPT_BYTES if VISION in variant.models else 0
    fixed, cap = variant.bytes + features, options.memory_cap_bytes
    need = fixed + tokens * token_bytes
    if cap is None or need <= cap:
        return
    room = (cap - fixed) // token_bytes
    pictures = f", {features:,} of features of pictures" if features else ""
    raise UsageError(
        f"memory cap: {variant.bytes:,} bytes of weights{pictures} and {tokens * token_bytes:,} of keys and values "
        f"for {tokens} tokens need {need:,} bytes, the cap is {cap:,}",
        f"a context of up to {room} tokens fits"
        if room >= 2
        else "no context fits: choose a smaller variant",
    )


def _check_inputs(path: str, session: DecoderSession, spec: DecoderInput) -> None:
    dtypes = {
        spec.tensor: "float32" if spec.takes == "embeddings" else "int64",
        spec.rows: "int64",
        spec.seqlens_k: "int32",
        spec.total_sequence_length: "int32",
    }
    if spec.both_ways is not UNSET:
        dtypes[spec.both_ways] = "int32"
    found = {given.name: given.dtype for given in session.inputs}
    if found != dtypes:
        raise BundleError(f"{path}: has the inputs {_list(found)}, expected {_list(dtypes)}")


def _list(dtypes: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {dtype}" for name, dtype in sorted(dtypes.items()))


def _load_embed(
    variant: Variant, folder: Path, engine: Engine, options: EngineOptions
) -> tuple[Session, str]:
    """The graph that looks up embeddings, and the name of its input."""
    model: Model | None = variant.models.get(EMBED)
    if model is None:
        raise BundleError(
            f"variant {variant.name}: expected the graphs {EMBED} and {DECODE}, got {', '.join(variant.models)}"
        )
    if not isinstance(model.input, TokenInput) or not isinstance(model.head, MemoryHead):
        raise BundleError(f"variant {variant.name}: {EMBED} expects a tokens input and a memory_head")
    session = engine.load(folder / model.path, options)
    if [given.name for given in session.inputs] != [model.input.ids] or (
        tuple(made.name for made in session.outputs) != model.head.tensors or len(session.outputs) != 1
    ):
        raise BundleError(
            f"{model.path}: expected the input {model.input.ids} and one output, {model.head.tensors[0]}"
        )
    return session, model.input.ids


def _run(
    trace: Trace | None,
    role: str,
    session: Session,
    feeds: Mapping[str, Array],
    kept: frozenset[str] = frozenset(),
) -> list[Array]:
    """Runs a graph; a trace keeps the call, and with it its scores, so long texts are made without one."""
    return session.run(feeds) if trace is None else trace.infer(role, session, feeds, kept)
