"""Transcribing speech: by one graph that spells (CTC), or by an encoder and a decoder (Whisper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgekit.bundle.manifest import (
    CtcHead,
    Input,
    MemoryHead,
    Model,
    SoundInput,
    StepInput,
    TokenHead,
    Variant,
)
from edgekit.engines.protocol import Engine, EngineOptions, Session
from edgekit.errors import BundleError
from edgekit.processing import ctc
from edgekit.processing.greedy import greedy
from edgekit.processing.sounds import to_sound
from edgekit.processing.tokens import load_tokenizer, tokenizer_faults
from edgekit.processing.windows import windows
from edgekit.tasks.carry import Carry
from edgekit.tasks.outputs import output_index
from edgekit.tasks.single import SingleGraph
from edgekit.tasks.trace import Trace
from edgekit.types import F32, Array, Content, Generation, Kind

ENCODE, DECODE = "encode", "decode"


def transcriber(
    bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
) -> Spell | Transcribe:
    """Whichever of the two the variant's roles ask for."""
    kind = Transcribe if DECODE in variant.models else Spell
    return kind(bundle_name, variant, folder, engine, options)


class Spell(SingleGraph[CtcHead]):
    """A loaded transcriber of one graph; see :class:`edgekit.tasks.protocol.Task`."""

    name = "transcribe"
    accepts: Kind = "sound"

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        super().__init__(bundle_name, variant, folder, engine, options, CtcHead)
        self._input = _sound_input(self._model.input, variant)
        symbols = ctc.read_symbols((folder / self._head.alphabet).read_text(encoding="utf-8"))
        self._classes = ctc.class_symbols(symbols, self._head)

    def __call__(self, given: Content | Array | Path, trace: Trace | None = None) -> Generation:
        """What is said in one sound; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        head, texts = self._head, []
        with trace.stage("pre"):
            sound = to_sound(given)
        for tensor in trace.each("pre", windows(sound, self._input)):
            outputs = self._run(trace, {self._input.tensor: tensor})
            with trace.stage("post"):
                scores = ctc.only_line(outputs[head.tensor], head.tensor)
                text, _ = ctc.decode(scores, self._classes, head.blank, head.activation)
                texts.append(text)
        return Generation(_joined(texts))


class Transcribe:
    """A loaded transcriber of encoder and decoder; see :class:`edgekit.tasks.protocol.Task`."""

    name = "transcribe"
    accepts: Kind = "sound"

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        encoder, decoder = variant.models.get(ENCODE), variant.models.get(DECODE)
        if encoder is None or decoder is None or len(variant.models) != 2:
            raise BundleError(
                f"variant {variant.name}: transcribe expects the graphs {ENCODE} and {DECODE}, "
                f"got {', '.join(variant.models)}"
            )
        head, step, memory = decoder.head, decoder.input, encoder.head
        if not isinstance(head, TokenHead) or not isinstance(step, StepInput):
            raise BundleError(f"variant {variant.name}: {DECODE} expects a step input and a token_head")
        if not isinstance(memory, MemoryHead) or not set(step.memory) <= set(memory.tensors):
            raise BundleError(
                f"variant {variant.name}: {ENCODE} expects a memory_head with what {DECODE} takes"
            )
        self.bundle_name, self.variant = bundle_name, variant.name
        self.engine, self.threads = f"{engine.name} {engine.version}", options.threads
        self._input, self._step, self._head = _sound_input(encoder.input, variant), step, head
        self._encode = _loaded(engine, folder, encoder, options, memory.tensors, variant)
        self._decode = _loaded(engine, folder, decoder, options, (head.tensor,), variant)
        self.sessions: Mapping[str, Session] = {ENCODE: self._encode, DECODE: self._decode}
        self._carry = Carry(self._decode, step.carried, growing=True)
        self._tokenizer = load_tokenizer(folder / head.tokenizer)

    def __call__(self, given: Content | Array | Path, trace: Trace | None = None) -> Generation:
        """What is said in one sound, window after window; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        with trace.stage("pre"):
            sound = to_sound(given)
        texts = []
        for tensor in trace.each("pre", windows(sound, self._input)):
            tokens = self.tokens(tensor, trace)
            with trace.stage("post"), tokenizer_faults(self._head.tokenizer):
                texts.append(self._tokenizer.decode(tokens, skip_special_tokens=True))
        return Generation(_joined(texts))

    def tokens(self, features: F32, trace: Trace) -> list[int]:
        """Ids of what is said in one window.

        Args:
            features: ``(1, mels, frames)`` float32.
            trace: receives stage times and engine calls.
        """
        names = [output.name for output in self._encode.outputs]
        outputs = trace.infer(ENCODE, self._encode, {self._input.tensor: features})
        remembered = dict(zip(names, outputs, strict=True))
        memory = {name: remembered[name] for name in self._step.memory}
        kept = self._carry.start()
        given_back = [output.name for output in self._decode.outputs]

        def step(ids: Sequence[int]) -> F32:
            nonlocal kept
            feeds = {self._step.ids: np.array([ids], np.int64), **memory, **kept}
            found = trace.infer(DECODE, self._decode, feeds, self._carry.outputs)
            named = dict(zip(given_back, found, strict=True))
            kept = self._carry.on(named)
            given = named[self._head.tensor]
            if given.ndim != 3 or not given.size:
                raise BundleError(f"{self._head.tensor}: expected (1, tokens, vocabulary), got {given.shape}")
            scores: F32 = given[0, -1].astype(np.float32, copy=False)
            return scores

        return greedy(step, self._head)


def _loaded(
    engine: Engine,
    folder: Path,
    model: Model,
    options: EngineOptions,
    wanted: Sequence[str],
    variant: Variant,
) -> Session:
    session = engine.load(folder / model.path, options)
    for name in wanted:
        output_index(session, model, name, variant)
    return session


def _sound_input(given: Input, variant: Variant) -> SoundInput:
    if not isinstance(given, SoundInput):
        raise BundleError(
            f"variant {variant.name}: transcribe expects a sound as input, got {type(given).__name__}"
        )
    return given


def _joined(texts: Sequence[str]) -> str:
    """Texts of consecutive windows; white space and what cannot be printed as single spaces."""
    plain = "".join(c if c.isprintable() else " " for c in " ".join(texts))
    return " ".join(plain.split())
