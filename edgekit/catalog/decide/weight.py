"""What a decision rests on: assumptions its option is computed from, and those of which another value would turn it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import inspect

from edgekit.catalog.decide.assumptions import Assumptions, flat
from edgekit.catalog.decide.decision import held
from edgekit.catalog.decide.file import changed
from edgekit.catalog.decide.options import Option
from edgekit.catalog.decide.workload import Workload
from edgekit.errors import DataError

FACTORS: Final = (10.0, 2.0)
"""By which a figure is made larger and smaller; the second only where others do not allow the first."""
_HALVINGS: Final = 8  # of the logarithm: a factor of 10 comes to one of 1.009


@dataclass(frozen=True, slots=True)
class Turn:
    """Another value of an assumption, with which the decision is another one.

    Attributes:
        at: of a figure the value from which on, seen from the one that is assumed; within 1 %.
        to: name of the option that is recommended there, or ``none``.
    """

    at: Any
    to: str


@dataclass(frozen=True, slots=True)
class Weight:
    """What an assumption does to a decision, the others being as they are.

    Attributes:
        used: the recommended option is computed from it.
        turns: where another one would be recommended; of a figure the smaller value first.
    """

    used: bool
    turns: tuple[Turn, ...]


def weights(w: Workload, a: Assumptions) -> dict[str, Weight]:
    """``section.figure`` → its weight. Names, and figures left to arithmetic, have none."""
    chosen = held(w, a)[1]
    return {key: _Trial(key, value, chosen, w, a).weight() for key, value in flat(a).items()}


def _kinds() -> Iterator[tuple[str, inspect.Type]]:
    """``section.figure`` and its type, with what it may be."""
    for section in msgspec.structs.fields(Assumptions):
        for figure in msgspec.structs.fields(section.type):
            yield f"{section.name}.{figure.name}", inspect.type_info(figure.type)


_KINDS: Final = dict(_kinds())


class _Trial:
    """Decides again with other values of one assumption."""

    def __init__(self, key: str, value: Any, chosen: Option | None, w: Workload, a: Assumptions) -> None:  # noqa: ANN401
        self._value, self._kind = value, _KINDS[key]
        self._section, _, self._figure = key.partition(".")
        self._chosen, self._workload, self._assumptions = chosen, w, a
        self._used = False

    def weight(self) -> Weight:
        """Of the assumption."""
        turns = self._of_words() if isinstance(self._kind, inspect.LiteralType) else self._of_figures()
        return Weight(self._used, tuple(turns))

    def _of_words(self) -> list[Turn]:
        assert isinstance(self._kind, inspect.LiteralType)
        decided = {str(word): self._decided(word) for word in self._kind.values if word != self._value}
        return [Turn(word, to) for word, to in decided.items() if to is not None and self._other(to)]

    def _of_figures(self) -> list[Turn]:
        turns = []
        for ways in ((1 / factor for factor in FACTORS), FACTORS):
            decided = ((far, self._decided(self._times(far))) for far in ways)
            far, to = next(((far, to) for far, to in decided if to is not None), (1.0, None))
            if to is not None and self._other(to):
                turns.append(self._before(far, to))
        return turns

    def _before(self, far: float, to: str) -> Turn:
        """Where the decision turns between the value as it is and another one."""
        near = 1.0
        for _ in range(_HALVINGS):
            middle = math.sqrt(near * far)
            found = self._decided(self._times(middle))
            if found is not None and self._other(found):
                far, to = middle, found
            else:
                near = middle
        return Turn(self._times(far), to)

    def _decided(self, value: Any) -> str | None:  # noqa: ANN401
        """The option that is recommended with a value; ``None`` where others do not allow it."""
        try:
            a = changed(self._assumptions, {self._section: {self._figure: value}})
        except DataError:
            return None
        every, chosen, _ = held(self._workload, a)
        self._used = self._used or (self._chosen is not None and self._chosen not in every)
        return _name(chosen)

    def _other(self, decided: str) -> bool:
        return decided != _name(self._chosen)

    def _times(self, factor: float) -> Any:  # noqa: ANN401
        """The figure times a factor, within what it may be; what is no figure as it is."""
        if isinstance(self._value, tuple) and not isinstance(self._value[0], str):
            return tuple(one * factor for one in self._value)
        if not isinstance(self._value, int | float):
            return self._value
        kind = self._kind.types[0] if isinstance(self._kind, inspect.UnionType) else self._kind
        assert isinstance(kind, inspect.FloatType | inspect.IntType)
        return _within(self._value, factor, kind)


def _within(value: float, factor: float, kind: inspect.FloatType | inspect.IntType) -> float:
    least = 0 if kind.ge is None else kind.ge
    bounded = max(value * factor, least) if kind.le is None else min(max(value * factor, least), kind.le)
    return round(bounded) if isinstance(value, int) else bounded


def _name(option: Option | None) -> str:
    return option.name if option else "none"
