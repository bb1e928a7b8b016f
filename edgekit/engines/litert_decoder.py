"""A TFLite decoder on arrays of the caller's: its graph gives what it made of a call's tokens, and we put it there.

TFLite has no output that is an input as well, so the interpreter keeps a copy of its own, which is written along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from edgekit.engines.protocol import TensorSpec
from edgekit.errors import ModelError
from edgekit.types import Array

_TOKENS = 2
"""Axis of the tokens in keys and values."""


class PlacedSession(Protocol):
    """What is used of :class:`edgekit.engines.litert.LiteRtSession`."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def place(self, feeds: Mapping[str, Array]) -> bool:
        """Puts some inputs where the graph reads them; whether the others hold nothing now."""
        ...

    def memory(self, position: int) -> Array:
        """What the graph reads as its input of that number."""
        ...

    def compute(self) -> list[Array]:
        """Runs the graph on what its inputs hold."""
        ...


class LiteRtDecoder:
    """A loaded decoder; see :class:`edgekit.engines.protocol.DecoderSession`.

    The graph has room for so many tokens as its shapes say; the caller's arrays may be shorter. Its one scalar input
    is the number of tokens after a call.

    Args:
        session: the whole graph.
        path: its file.
        pairs: an input ``(1, kv_heads, tokens, head_dim)`` float32, and the output with the rows that follow.

    Raises:
        ModelError: the graph has no such inputs and outputs.
    """

    def __init__(self, session: PlacedSession, path: Path, pairs: Sequence[tuple[str, str]]) -> None:
        self._session, self._name = session, path.name
        inputs, outputs = [spec.name for spec in session.inputs], [spec.name for spec in session.outputs]
        for given, made in pairs:
            if given not in inputs or made not in outputs:
                raise ModelError(
                    f"{self._name}: has no input {given!r} with an output {made!r} that goes behind it"
                )
        self._places = [inputs.index(given) for given, _ in pairs]
        self._made = [outputs.index(made) for _, made in pairs]
        self.shared = tuple(_open_ended(session.inputs[place], self._name) for place in self._places)
        self.inputs = tuple(spec for i, spec in enumerate(session.inputs) if i not in self._places)
        self.outputs = tuple(spec for i, spec in enumerate(session.outputs) if i not in self._made)
        totals = [spec.name for spec in self.inputs if not spec.shape]
        if len(totals) != 1:
            raise ModelError(
                f"{self._name}: expected one scalar input, the number of tokens, got {len(totals)}"
            )
        self._total = totals[0]
        self._buffers: Sequence[Array] = ()
        self._fresh = True

    def attach(self, buffers: Sequence[Array]) -> None:
        """Takes the arrays; see :class:`edgekit.engines.protocol.DecoderSession`."""
        for place, buffer in zip(self._places, buffers, strict=True):
            spec = self._session.inputs[place]
            sides = zip(buffer.shape, spec.shape, strict=False)
            fits = len(buffer.shape) == len(spec.shape) and all(
                side == wanted or (axis == _TOKENS and side <= (wanted or 0))
                for axis, (side, wanted) in enumerate(sides)
            )
            if not fits or str(buffer.dtype) != spec.dtype:
                got = f"{buffer.dtype} {'×'.join(map(str, buffer.shape))}"
                raise ModelError(
                    f"{self._name}: {spec.name}: expected a buffer {spec.form} at most, got {got}"
                )
        self._buffers, self._fresh = tuple(buffers), True

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Runs the graph once on the attached arrays; see :class:`edgekit.engines.protocol.Session`.

        Raises:
            ModelError: the engine failed, or what it gave does not fit the arrays.
        """
        if not self._buffers:
            raise ModelError(f"{self._name}: a decoder was run before it was given buffers")
        names = [spec.name for spec in self.inputs]
        if feeds.keys() != set(names):
            raise ModelError(
                f"{self._name}: inputs are {', '.join(names)}, got {', '.join(feeds) or 'nothing'}"
            )
        if self._session.place(feeds) or self._fresh:
            self._copy()
        found = self._session.compute()
        self._keep([found[place] for place in self._made], int(feeds[self._total]))
        return [array for place, array in enumerate(found) if place not in self._made]

    def _copy(self) -> None:
        """Gives the interpreter all that the caller's arrays hold, and zeros behind."""
        self._fresh = True
        for place, buffer in zip(self._places, self._buffers, strict=True):
            memory = self._session.memory(place)
            memory[:, :, : buffer.shape[_TOKENS]] = buffer
            memory[:, :, buffer.shape[_TOKENS] :] = 0
        self._fresh = False

    def _keep(self, made: Sequence[Array], total: int) -> None:
        for place, buffer, rows in zip(self._places, self._buffers, made, strict=True):
            start = total - rows.shape[_TOKENS]
            part = np.s_[:, :, start:total]
            if start < 0 or rows.shape != buffer[part].shape or rows.dtype != buffer.dtype:
                got = f"{rows.dtype} {'×'.join(map(str, rows.shape))}"
                raise ModelError(
                    f"{self._name}: expected rows that end at token {total} of {buffer.shape}, got {got}"
                )
            buffer[part] = rows
            self._session.memory(place)[part] = rows


def _open_ended(spec: TensorSpec, name: str) -> TensorSpec:
    """What a caller may attach: as many tokens as it likes, up to the graph's."""
    if len(spec.shape) <= _TOKENS or None in spec.shape:
        raise ModelError(
            f"{name}: {spec.name}: expected a fixed shape with an axis of tokens, got {spec.form}"
        )
    return TensorSpec(spec.name, spec.dtype, (*spec.shape[:_TOKENS], None, *spec.shape[_TOKENS + 1 :]))
