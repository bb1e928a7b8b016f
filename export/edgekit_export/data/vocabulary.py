"""What rendered lines say: common words, numbers, dates, prices and codes, in printable ASCII.

Both alphabets of PP-OCR (v4 and v6) hold all of these characters, so that every error is the model's.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np

Rng: TypeAlias = np.random.Generator
_T = TypeVar("_T")

WORDS: tuple[str, ...] = tuple(Path(__file__).with_name("words.txt").read_text("ascii").split())
"""Common English words, lower case."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = (
    "kg",
    "g",
    "mg",
    "km",
    "m",
    "cm",
    "mm",
    "L",
    "ml",
    "V",
    "A",
    "W",
    "kW",
    "Hz",
    "GB",
    "%",
    "ft",
    "lb",
    "oz",
)
_CODE_CHARACTERS = string.ascii_uppercase + string.digits * 2


def pick(rng: Rng, items: Sequence[_T]) -> _T:
    """One of ``items``, each equally likely."""
    return items[int(rng.integers(len(items)))]


def _digits(rng: Rng, n: int) -> str:
    return "".join(str(d) for d in rng.integers(0, 10, n))


def words(rng: Rng, low: int, high: int) -> str:
    """``low`` to ``high`` common words, in one of four styles of capitals."""
    chosen = [pick(rng, WORDS) for _ in range(int(rng.integers(low, high + 1)))]
    style = int(rng.integers(4))
    if style == 0:
        return " ".join(chosen).upper()
    if style == 1:
        return " ".join(word.capitalize() for word in chosen)
    if style == 2:
        return " ".join(chosen).capitalize()
    return " ".join(chosen)


def _sentence(rng: Rng) -> str:
    first, join, second = words(rng, 2, 3), pick(rng, [", ", "; ", ": ", " - ", " & "]), words(rng, 1, 2)
    return first + join + second + pick(rng, ".!?")


def _price(rng: Rng) -> str:
    amount = f"{int(rng.integers(0, 2000))}.{_digits(rng, 2)}"
    return pick(rng, ["$" + amount, amount + " EUR", "USD " + amount, words(rng, 1, 2) + " " + amount])


def _date(rng: Rng) -> str:
    year, month, day = int(rng.integers(1990, 2035)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
    clock = f"{int(rng.integers(24)):02d}:{int(rng.integers(60)):02d}"
    forms = [
        f"{year}-{month:02d}-{day:02d}",
        f"{day:02d}/{month:02d}/{year}",
        f"{day} {_MONTHS[month - 1]} {year}",
        f"{_MONTHS[month - 1]} {day}, {year} {clock}",
        f"{day:02d}.{month:02d}.{year % 100:02d} {clock}",
        f"{clock}:{int(rng.integers(60)):02d}",
    ]
    return pick(rng, forms)


def _code(rng: Rng) -> str:
    groups = int(rng.integers(1, 4))
    parts = [
        "".join(pick(rng, _CODE_CHARACTERS) for _ in range(int(rng.integers(3, 7)))) for _ in range(groups)
    ]
    return pick(rng, ["", "", "No. ", "Ref: ", "ID ", "#", "SN:"]) + pick(rng, "-/. ").join(parts)


def _phone(rng: Rng) -> str:
    return pick(
        rng,
        [
            f"+{int(rng.integers(1, 99))} {_digits(rng, 3)} {_digits(rng, 3)} {_digits(rng, 4)}",
            f"({_digits(rng, 3)}) {_digits(rng, 3)}-{_digits(rng, 4)}",
            f"Tel: {_digits(rng, 4)} {_digits(rng, 6)}",
        ],
    )


def _address(rng: Rng) -> str:
    name, host = pick(rng, WORDS), pick(rng, WORDS)
    end = pick(rng, ["com", "org", "net", "io", "co.uk"])
    number = _digits(rng, 2)
    forms = [
        f"www.{name}{host}.{end}",
        f"{name}.{number}@{host}.{end}",
        f"https://{host}.{end}/{name}_{number}",
    ]
    return pick(rng, forms)


def _measure(rng: Rng) -> str:
    number = f"{int(rng.integers(1, 1000))}" + (f".{_digits(rng, 1)}" if rng.random() < 0.5 else "")
    return pick(rng, [number + " " + pick(rng, _UNITS), f"{words(rng, 1, 1)}: {number}{pick(rng, _UNITS)}"])


def _item(rng: Rng) -> str:
    name = words(rng, 1, 2)
    return pick(
        rng,
        [
            f"{int(rng.integers(1, 20))} x {name}",
            f"{name} ({_digits(rng, 2)})",
            f"[{_digits(rng, 1)}] {name}",
            f"{name} #{_digits(rng, 3)}",
            f"'{name}'",
            f'"{name}"',
            f"{name} +{_digits(rng, 1)}%",
            f"{name} = {_digits(rng, 2)}*{_digits(rng, 1)}",
        ],
    )


KINDS: tuple[tuple[float, Callable[[Rng], str]], ...] = (
    (0.24, lambda rng: words(rng, 1, 4)),
    (0.12, _sentence),
    (0.11, _price),
    (0.11, _date),
    (0.21, _code),
    (0.05, _phone),
    (0.05, _address),
    (0.05, _measure),
    (0.06, _item),
)
_SHARES = np.cumsum([share for share, _ in KINDS])


def text(rng: Rng) -> str:
    """One line of text, 1 to about 45 characters."""
    kind = int(np.searchsorted(_SHARES, rng.random() * _SHARES[-1], side="right"))
    return KINDS[min(kind, len(KINDS) - 1)][1](rng)


def short_text(rng: Rng) -> str:
    """A line for a sign: a few words, a price, a date or a measure, 3 to about 25 characters."""
    kind = int(rng.integers(5))
    return words(rng, 1, 3) if kind < 2 else pick(rng, (_price, _date, _measure))(rng)
