"""Text from a language model: one file of weights, a prompt in, an answer out, token by token."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from edgekit.bundle.manifest import LogitsHead, Variant
from edgekit.engines.protocol import Engine, EngineOptions, Session
from edgekit.errors import BundleError, DataError, UsageError
from edgekit.machine import give_memory_back
from edgekit.processing.masks import Masks
from edgekit.processing.words import Prompt, Words
from edgekit.tasks.answer import Answer
from edgekit.tasks.decoder import DECODE, EMBED, BufferedDecoder, Decoder
from edgekit.tasks.given import Features, Given, calls, common, parts, reusable
from edgekit.tasks.reply import Reply
from edgekit.tasks.settings import Settings
from edgekit.tasks.trace import Trace
from edgekit.tasks.vision import Seen
from edgekit.types import F32, Array, Content, Generation, Kind, Pace, TokenScores

_One = TypeVar("_One")
_Other = TypeVar("_Other")

WINDOW = 512
"""Tokens that are scored together, unless told otherwise."""

MAX_SCORES = 2**24
"""Scores that are made at once when texts are scored: 64 MiB."""


class Generate:
    """A loaded language model; see :class:`edgekit.tasks.protocol.Task`.

    What was said before is remembered: of a prompt that begins as the conversation before did, only the rest goes
    through the model. So one object has one conversation at a time.
    """

    name = "generate"
    accepts: Kind = "text"
    roles: frozenset[str] = frozenset({EMBED, DECODE})

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        model = variant.models.get(DECODE)
        if model is None or not isinstance(model.head, LogitsHead):
            raise BundleError(
                f"variant {variant.name}: {self.name} expects a graph {DECODE} with a logits_head"
            )
        if not variant.models.keys() <= self.roles:
            raise BundleError(
                f"variant {variant.name}: {self.name} expects the graphs {', '.join(sorted(self.roles))}, "
                f"got {', '.join(variant.models)}"
            )
        self.bundle_name, self.variant = bundle_name, variant.name
        self.engine, self.threads = f"{engine.name} {engine.version}", options.threads
        self._head = head = model.head
        self._kept_masks: Masks | None = None
        self._uses = 0  # of what is remembered; a reply that another use came between cannot go on
        self.decoder: Decoder
        self.decoder, self.words = _both(
            lambda: BufferedDecoder(variant, folder, engine, options), lambda: Words(head, folder)
        )
        give_memory_back()
        self.sessions: Mapping[str, Session] = self.decoder.sessions

    def __call__(
        self,
        given: Content | Array | Path | Sequence[Any],
        trace: Trace | None = None,
        settings: Settings = Settings(),  # noqa: B008 (immutable)
    ) -> Generation:
        """The whole answer.

        Args:
            given: a text, the turns of a conversation, or tokens; see :data:`edgekit.processing.words.Prompt`.
            trace: receives stage times and engine calls, and with them all scores: for short answers.
            settings: how it is made.

        Raises:
            DataError: no prompt, or one that does not fit the context.
            ModelError: the engine failed.
        """
        return self.stream(given, settings=settings, trace=trace).generation  # type: ignore[arg-type]

    def stream(
        self,
        given: Prompt,
        *,
        settings: Settings = Settings(),  # noqa: B008 (immutable)
        trace: Trace | None = None,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> Reply:
        """The answer in pieces, each as soon as it is there; none holds a part of a character or of a stop string.

        Args:
            given, settings, trace: see :meth:`__call__`.
            now_ns: monotonic clock; a test passes its own.

        Raises:
            UsageError: while it is read, if the model was used for something else meanwhile.
        """

        def read() -> Given:
            tokens = self.words.prompt(given)
            return Given(tokens, tokens)

        return Reply(self._answer(read, settings, trace, now_ns))

    @property
    def knows_turns(self) -> bool:
        """Whether it can be given the turns of a conversation."""
        return self._head.chat_template is not None

    def forget(self) -> None:
        """The next prompt goes through the model whole."""
        self._rewind(0)

    def _rewind(self, length: int) -> None:
        """What lies behind so many places is no more; nor can a reply that is not read to its end go on."""
        self._uses += 1
        self.decoder.rewind(length)

    def _answer(
        self, read: Callable[[], Given], settings: Settings, trace: Trace | None, now_ns: Callable[[], int]
    ) -> Generator[str, None, Generation]:
        laps = _Laps(now_ns)
        with nullcontext() if trace is None else trace.stage("pre"):
            given = read()
        self._check_room(given)
        answer = self._begin(given, settings)
        self._uses += 1
        mine = self._uses
        reused = reusable(self.decoder.items, given.items, both_ways=self.decoder.both_ways)
        prepare_ms = laps.ms()
        seen = self._look(given.tiles_from(reused), given, settings, trace)
        encode_ms = laps.ms()
        scores = None if seen is None else self._prefill(given, reused, seen.features, settings, trace)
        prefill_ms = laps.ms()
        first_ms: float | None = None
        decode_ms, decode_calls = 0.0, 0
        while scores is not None:
            piece = self._add(answer, scores, settings, trace)
            if first_ms is None:
                first_ms = prepare_ms + encode_ms + prefill_ms + laps.ms()
            else:
                decode_ms, decode_calls = decode_ms + laps.ms(), decode_calls + 1
            if piece:
                yield piece
                laps.ms()  # whoever reads it takes this time
            if mine != self._uses:
                raise UsageError(
                    "an answer was given up: the model was used for something else meanwhile",
                    "read one to its end first",
                )
            last = answer.tokens[-1:]
            scores = self.decoder.extend(last, (0,), trace)[0] if answer.finish is None else None
        if rest := answer.rest():
            yield rest
        pace = Pace(
            prompt_tokens=len(given),
            reused_tokens=reused,
            prefill_ms=prefill_ms,
            first_token_ms=first_ms or 0.0,
            answer_tokens=len(answer.tokens),
            decode_ms=decode_ms,
            decode_calls=decode_calls,
            tiles=len(given.tiles),
            encoded_tiles=0 if seen is None else seen.encoded,
            prepare_ms=prepare_ms,
            encode_ms=encode_ms,
        )
        return Generation(answer.text, tuple(answer.tokens), answer.finish or "cancelled", pace)

    def _begin(self, given: Given, settings: Settings) -> Answer:
        room = self.decoder.capacity - len(given) + 1  # the last token is not given to it
        return Answer(self.words, self._head.ends, settings, given.tokens, room, self._masks(settings))

    def _add(self, answer: Answer, scores: F32, settings: Settings, trace: Trace | None) -> str:
        """What can be told with the next token."""
        with nullcontext() if trace is None else trace.stage("post"):
            piece = answer.add(scores)
        if answer.finish is None and settings.cancelled is not None and settings.cancelled():
            answer.finish = "cancelled"
        return piece

    def _look(
        self, tiles: Sequence[bytes], given: Given, settings: Settings, trace: Trace | None
    ) -> Seen | None:
        """Features of these tiles; None if somebody cancelled. A model of texts sees nothing."""
        return Seen({}, 0)

    def _prefill(
        self, given: Given, reused: int, features: Features, settings: Settings, trace: Trace | None
    ) -> F32 | None:
        """Scores behind the prompt; None if somebody cancelled."""
        decoder, scores = self.decoder, None
        decoder.rewind(reused)
        for place in calls(given.items, reused, decoder.chunk, both_ways=decoder.both_ways):
            part = given.items[place]
            if settings.cancelled is not None and settings.cancelled():
                return None
            scores = decoder.extend(part, (len(part) - 1,), trace, features)[0]
        return scores

    def _masks(self, settings: Settings) -> Masks | None:
        """Of the grammar, kept for the next answer of the same."""
        if settings.grammar is None:
            return None
        if self._kept_masks is None or self._kept_masks.grammar is not settings.grammar:
            self._kept_masks = Masks(settings.grammar, self.words.token_bytes)
        return self._kept_masks

    def _check_room(self, given: Given) -> None:
        capacity, shown = self.decoder.capacity, given.shown
        if len(given) > capacity:
            pictures = f" ({shown} of pictures)" if shown else ""
            raise DataError(
                f"prompt: {len(given)} tokens{pictures}, the context has room for {capacity}",
                "shorten it, or ask for a larger context if the bundle allows one",
            )

    @property
    def capacity(self) -> int:
        """Most tokens of a prompt and its answer."""
        return self.decoder.capacity

    @property
    def tokenizer(self) -> str:
        """Member that it cuts texts with."""
        return self._head.tokenizer

    @property
    def vocabulary(self) -> int:
        """Tokens that it gives scores of."""
        return self._head.vocabulary

    @property
    def batch(self) -> int:
        """Most tokens whose scores are made at once."""
        return max(1, min(self.decoder.chunk, MAX_SCORES // self._head.vocabulary))

    def tokens(self, text: str) -> list[int]:
        """What a text that stands for itself is cut into, behind the model's first token if it has one.

        Raises:
            DataError: it gives no token, or is too long.
        """
        return self.words.tokens(text)

    def follow(self, text: str, more: str) -> F32:
        """How likely ``more`` follows ``text``, token by token; a text that was followed before costs nothing again.

        Args:
            text: what comes before.
            more: what is scored; it begins where both texts together are cut otherwise than ``text`` alone.

        Returns:
            ``(n,)`` float32 natural logarithms of probabilities.

        Raises:
            DataError: nothing is left to score, or both do not fit the context.
        """
        decoder, ids = self.decoder, self.words.tokens(text + more)
        begin = max(common(self.words.tokens(text), ids), 1)
        if begin >= len(ids):
            raise DataError("text: has no token that follows another", "give it a longer text")
        self._check_room(Given(ids, ids))
        reused = min(common(decoder.items, ids[: begin - 1]), reusable(decoder.items, ids[:-1]))
        self._rewind(reused)
        found = []
        for place in parts(reused, len(ids) - 1, self.batch):
            part, at = ids[place], place.start
            wanted = [row for row in range(len(part)) if at + row >= begin - 1]
            scores = decoder.extend(part, wanted or [len(part) - 1])
            if wanted:
                targets = np.array(ids[at + wanted[0] + 1 : at + len(part) + 1], np.int64)
                found.append(likeliest(targets, scores, 1)[0])
        return np.concatenate(found)

    def rows(self, text: str, window: int = WINDOW, batch: int | None = None) -> Iterator[tuple[Array, F32]]:
        """Scores of every token of a text, for evaluation.

        The text is cut into windows of up to ``window`` tokens (those of the model's first token, which begins each,
        among them), and nothing is remembered from one to the next. Where the model has a first token every token of
        the text is scored; else each but the first of a window.

        Args:
            text: of at least two tokens, that first one among them.
            window: at least 2; the context is the most.
            batch: tokens that are scored at once, :attr:`batch` at the most and by default.

        Yields:
            ``(n,)`` int64 ids, and ``(n, vocabulary)`` float32 scores that the model gave for their places.

        Raises:
            DataError: there is nothing to score.
        """
        decoder, first = self.decoder, self._head.first
        ids = self.words.tokens(text)
        head = [] if first is None else ids[:1]
        body = ids[len(head) :]
        step = min(window, decoder.capacity) - len(head)
        parts = [[*head, *body[at : at + step]] for at in range(0, len(body), step)]
        if not any(len(part) > 1 for part in parts):
            raise DataError("text: has no token that follows another", "give it a longer text")
        size = self.batch if batch is None else min(self.batch, batch)
        for part in parts:
            self._rewind(0)
            for at in range(0, len(part) - 1, size):
                given = part[at : min(at + size, len(part) - 1)]
                scores = decoder.extend(given, range(len(given)))
                yield np.array(part[at + 1 : at + 1 + len(given)], np.int64), scores

    def scores(self, text: str, top: int = 64, window: int = WINDOW) -> TokenScores:
        """How likely the model finds a text; see :meth:`rows` for what is scored.

        Args:
            text: what is scored, without any turns around it.
            top: how many of the likeliest tokens are kept at each place; at most the vocabulary.
            window: see :meth:`rows`.

        Raises:
            DataError: there is nothing to score.
        """
        found = [likeliest(targets, scores, top) for targets, scores in self.rows(text, window)]
        logprob, index, best = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return TokenScores(logprob, index, best, len(text.encode()))


class _Laps:
    """Times from one look at a clock to the next."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns, self._at = now_ns, now_ns()

    def ms(self) -> float:
        before, self._at = self._at, self._now_ns()
        return (self._at - before) / 1e6


def _both(first: Callable[[], _One], second: Callable[[], _Other]) -> tuple[_One, _Other]:
    """Runs both at the same time, the second one in a thread of its own: an engine that loads weights holds no lock.

    (The weights stay in this thread, whose memory the C library gives back.)
    """
    found: list[_Other] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(second())
            give_memory_back()  # before the weights are at their most
        except BaseException as error:  # noqa: BLE001 (it is raised again below)
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        made = first()
    finally:
        thread.join()
    if failed:
        raise failed[0]
    return made, found[0]


def likeliest(targets: Array, scores: F32, top: int) -> tuple[F32, Array, F32]:
    """Log-probabilities ``(n,)`` of the targets, and ids and log-probabilities ``(n, top)`` of the best tokens."""
    top = min(top, scores.shape[1])
    most = scores.max(axis=1, keepdims=True)
    total = np.log(np.exp(scores - most).sum(axis=1, keepdims=True, dtype=np.float64)) + most
    index = np.argpartition(scores, -top, axis=1)[:, -top:]
    index = np.take_along_axis(index, np.argsort(-np.take_along_axis(scores, index, 1), 1, kind="stable"), 1)
    best = np.take_along_axis(scores, index, 1) - total
    logprob = np.take_along_axis(scores, targets[:, None], 1) - total
    return logprob[:, 0].astype(np.float32), index.astype(np.int32), best.astype(np.float32)
