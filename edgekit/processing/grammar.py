"""What an answer may look like: a choice of texts, or a JSON object of named fields, as an automaton over bytes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from edgekit.errors import UsageError

Field: TypeAlias = "str | Sequence[str]"
"""Of a JSON object: one of :data:`FIELD_TYPES`, or a list of the texts that it may be."""

FIELD_TYPES = ("string", "number", "integer", "boolean")

MAX_STATES = 30_000

WHOLE_DIGITS, FRACTION_DIGITS = 15, 6
"""Of a number: what a float64 holds exactly."""

DEAD = -1


@dataclass(frozen=True, slots=True, eq=False)
class Grammar:
    """A deterministic automaton. It begins in state 0.

    Attributes:
        table: ``(states, 256)`` int16, the next state by state and byte; -1 where there is none.
        accepting: ``(states,)`` bool, where the answer may end.
        distance: ``(states,)`` int32, the fewest bytes to where it may end.
    """

    table: npt.NDArray[np.int16]
    accepting: npt.NDArray[np.bool_]
    distance: npt.NDArray[np.int32]


def choice(texts: Collection[str]) -> Grammar:
    """One of these texts.

    Raises:
        UsageError: there are none, an empty one, or too many.
    """
    if not texts or not all(texts):
        raise UsageError(f"choice: expected texts, got {list(texts)}")
    made = _Builder()
    return made.grammar(made.any_of({0}, [text.encode() for text in texts]))


def json_object(fields: Mapping[str, Field]) -> Grammar:
    """A JSON object of these fields, all of them and in this order, with the spaces that Python's ``json`` writes.

    Numbers have up to 15 digits and six behind the point, no exponent; texts are UTF-8 with the escapes of RFC 8259
    but ``\\u``.

    Args:
        fields: name → type, or the texts that it may be.

    Raises:
        UsageError: no field, an unknown type, or too many choices.
    """
    if not fields:
        raise UsageError("JSON fields: expected name:type, got none")
    made, ends = _Builder(), {0}
    for number, (name, kind) in enumerate(fields.items()):
        before = f"{', ' if number else '{'}{json.dumps(name, ensure_ascii=False)}: "
        ends = made.value(made.literal(ends, before.encode()), name, kind)
    return made.grammar(made.literal(ends, b"}"))


def parse_fields(text: str) -> dict[str, Field]:
    """Fields of ``merchant,date:string,total:number,paid:yes|no``; without a type it is a string.

    Raises:
        UsageError: an empty or repeated name, or an unknown type.
    """
    found: dict[str, Field] = {}
    for part in text.split(","):
        name, colon, kind = (piece.strip() for piece in part.partition(":"))
        if not name or name in found or (colon and not kind):
            raise UsageError(f"fields: got {part!r} in {text!r}", "write name:type, separated by commas")
        if "|" in kind:
            found[name] = tuple(option.strip() for option in kind.split("|"))
        else:
            found[name] = _known(name, kind or "string")
    return found


def _known(name: str, kind: str) -> str:
    if kind not in FIELD_TYPES:
        raise UsageError(
            f"field {name}: expected {', '.join(FIELD_TYPES)} or texts with | between, got {kind!r}"
        )
    return kind


class _Builder:
    """States under construction. Each method goes on from several states, and says where it may have ended."""

    def __init__(self) -> None:
        self._next: list[dict[int, int]] = [{}]

    def literal(self, starts: set[int], data: bytes) -> set[int]:
        return self.any_of(starts, [data])

    def any_of(self, starts: set[int], texts: Sequence[bytes]) -> set[int]:
        ends = set()
        for data in texts:
            at = starts
            for byte in data:
                at = {self._step(at, byte)}
            ends |= at
        return ends

    def value(self, starts: set[int], name: str, kind: Field) -> set[int]:
        if not isinstance(kind, str):
            if not kind or not all(kind):
                raise UsageError(f"field {name}: expected texts to choose from, got {list(kind)}")
            return self.any_of(starts, [json.dumps(text, ensure_ascii=False).encode() for text in kind])
        match _known(name, kind):
            case "string":
                return self._text(starts)
            case "boolean":
                return self.any_of(starts, [b"true", b"false"])
            case "integer":
                return self._number(starts, fraction=0)
            case _:
                return self._number(starts, fraction=FRACTION_DIGITS)

    def _text(self, starts: set[int]) -> set[int]:
        body = self._step(starts, ord('"'))
        plain = set(range(0x20, 0x7F)) - {ord('"'), ord("\\")}
        self._join({body}, plain, body)
        escape = self._step({body}, ord("\\"))
        self._join({escape}, set(b'"\\/bfnrt'), body)
        one, two, three = (self._state() for _ in range(3))  # bytes of a character that are still to come
        rest = set(range(0x80, 0xC0))
        for state, after in ((one, body), (two, one), (three, two)):
            self._join({state}, rest, after)
        # RFC 3629, section 4: no longer forms than needed, no surrogates, nothing above U+10FFFF
        self._join({body}, set(range(0xC2, 0xE0)), one)
        self._join({body}, {*range(0xE1, 0xED), 0xEE, 0xEF}, two)
        self._join({body}, set(range(0xF1, 0xF4)), three)
        for first, second, after in (
            (0xE0, range(0xA0, 0xC0), one),
            (0xED, range(0x80, 0xA0), one),
            (0xF0, range(0x90, 0xC0), two),
            (0xF4, range(0x80, 0x90), two),
        ):
            self._join({self._step({body}, first)}, set(second), after)
        return {self._step({body}, ord('"'))}

    def _number(self, starts: set[int], fraction: int) -> set[int]:
        digits, signed = set(b"0123456789"), starts | {self._step(starts, ord("-"))}
        zero, at = self._state(), self._state()
        self._join(signed, {ord("0")}, zero)
        self._join(signed, digits - {ord("0")}, at)
        ends = {zero, at}
        for _ in range(WHOLE_DIGITS - 1):
            ends.add(at := self._after({at}, digits))
        if fraction:
            at = self._step(ends, ord("."))
            for _ in range(fraction):
                ends = ends | {at := self._after({at}, digits)}
        return ends

    def _state(self) -> int:
        if len(self._next) >= MAX_STATES:
            raise UsageError(f"choices and fields: expected up to {MAX_STATES} letters together, got more")
        self._next.append({})
        return len(self._next) - 1

    def _after(self, starts: set[int], letters: set[int]) -> int:
        made = self._state()
        self._join(starts, letters, made)
        return made

    def _join(self, starts: set[int], letters: set[int], to: int) -> None:
        for state in starts:
            self._next[state] |= dict.fromkeys(letters, to)

    def _step(self, starts: set[int], byte: int) -> int:
        """Where this byte leads to from all of these states, which is one state."""
        there = {self._next[state].get(byte) for state in starts}
        found = there.pop() if len(there) == 1 else None
        if found is None:
            found = self._after(starts, {byte})
        return found

    def grammar(self, ends: set[int]) -> Grammar:
        table = np.full((len(self._next), 256), DEAD, np.int16)
        for state, edges in enumerate(self._next):
            if edges:
                table[state, list(edges)] = list(edges.values())
        accepting = np.zeros(len(self._next), np.bool_)
        accepting[list(ends)] = True
        return Grammar(table, accepting, _distances(self._next, ends))


def _distances(edges: Sequence[Mapping[int, int]], ends: set[int]) -> npt.NDArray[np.int32]:
    """Bytes from each state to the nearest end, breadth first from there."""
    before: list[set[int]] = [set() for _ in edges]
    for state, following in enumerate(edges):
        for to in following.values():
            before[to].add(state)
    distance = np.full(len(edges), np.iinfo(np.int32).max, np.int32)
    layer, far = ends, 0
    while layer:
        distance[list(layer)] = far
        layer = {state for one in layer for state in before[one] if distance[state] > far + 1}
        far += 1
    return distance
