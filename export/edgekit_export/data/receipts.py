"""Pictures of receipts with what they say: shop, date and total, and all the numbers that are not the total.

A receipt has lines that mislead rules and models alike: a heading that is no shop, a date that is not the day's,
subtotal, tax, discounts, what was given and what came back, counts of items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.types import F32, U8
from edgekit_export.data import boards, pages, scene
from edgekit_export.data.degradation import Degradation, degrade
from edgekit_export.data.vocabulary import Rng, pick

VERSION = 1
"""Part of the seed: raised when the rendering changes."""

_SIZE_WH = 720, 1120
_FIRST = (
    "Oak", "River", "Harbor", "Sunny", "Golden", "Maple", "Corner", "Blue Door", "Anna's", "Miller's", "North",
    "Green Leaf", "Old Town", "Station", "Bright", "Castle", "Three Bees", "Lakeside", "Copper", "Daily",
)  # fmt: skip
_KINDS = (
    "Market", "Bakery", "Cafe", "Books", "Hardware", "Pharmacy", "Grill", "Deli", "Garden Center", "Toys", "Pizza",
    "Grocery", "Stationery", "Bistro", "Butcher", "Pet Shop",
)  # fmt: skip
_GOODS = (
    "Milk", "Bread", "Coffee", "Apples", "Butter", "Cheese", "Soap", "Batteries", "Notebook", "Orange Juice", "Pasta",
    "Rice 1 kg", "Eggs", "Tea", "Chocolate", "Shampoo", "Tomatoes", "Pencil", "Sandwich", "Water 0.5 L", "Salad",
    "Soup", "Light Bulb", "Candles", "Honey", "Yogurt", "Bananas", "Paper Towels", "Glue", "Cookies",
)  # fmt: skip
_HEADINGS = ("*** RECEIPT ***", "TAX INVOICE", "Customer Copy", "WELCOME TO", "SALE")
_STREETS = ("Main St", "High Street", "Park Ave", "Mill Lane", "King Road", "Elm Drive")
_TOTALS = ("TOTAL", "Total", "Amount due", "Balance due", "Grand total", "TOTAL DUE", "To pay")
_THANKS = ("Thank you!", "Thank you for your visit", "Have a nice day", "See you soon")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Row = tuple[str, str]
"""What stands on the left of a line, and on the right, either may be empty."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What is asked of a receipt.

    Attributes:
        merchant: the shop's name as printed.
        date: of the purchase, as printed, without the time of day.
        total: what was to be paid, digits and point alone, such as ``23.40``.
    """

    merchant: str
    date: str
    total: str


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """A picture of a receipt.

    Attributes:
        image: ``(height, width, 3)`` uint8 RGB.
        quads: ``(n, 4, 2)`` float32, corners of each text: top left, top right, bottom right, bottom left.
        texts: what the quads hold, from top to bottom, left to right.
        fields: what is asked of it.
    """

    image: U8
    quads: F32
    texts: tuple[str, ...]
    fields: Fields


def render_receipt(seed: int, index: int) -> Receipt:
    """Receipt ``index`` of ``seed``: the same arguments, the same picture."""
    rng = np.random.default_rng([VERSION, seed, index, 3])
    rows, fields = write_receipt(rng)
    canvas = scene.texture(rng, _SIZE_WH)
    board = boards.receipt(rng, rows)
    area = 0.0, 0.0, float(_SIZE_WH[0]), float(_SIZE_WH[1])
    quads = pages.fit(rng, canvas, board, area, 1.3)
    how = Degradation(
        blur_px=float(rng.uniform(0, 0.6)),
        noise=float(rng.uniform(0, 6)),
        quality=int(rng.integers(50, 95)) if rng.random() < 0.5 else 0,
    )
    return Receipt(degrade(canvas.astype(np.float32), how, rng), quads, board.texts, fields)


def write_receipt(rng: Rng) -> tuple[list[Row], Fields]:
    """The lines of a receipt, and its fields."""
    merchant = f"{pick(rng, _FIRST)} {pick(rng, _KINDS)}"
    merchant = merchant.upper() if rng.random() < 0.4 else merchant
    date, form = _date(rng)
    paid, total = _sums(rng)
    rows = [*_head(rng, merchant), *_dated(rng, date), *paid]
    if rng.random() < 0.3:
        label = pick(rng, ("Return by", "Member since", "Offer ends"))
        rows.append((f"{label} {_written(rng, form)}", ""))
    rows.append((pick(rng, _THANKS), ""))
    return rows, Fields(merchant, date, _money(total))


def _head(rng: Rng, merchant: str) -> list[Row]:
    rows = [(pick(rng, _HEADINGS), "")] if rng.random() < 0.35 else []
    rows.append((merchant, ""))
    if rng.random() < 0.7:
        rows.append((f"{int(rng.integers(1, 300))} {pick(rng, _STREETS)}", ""))
    if rng.random() < 0.5:
        rows.append((f"Tel 555 {int(rng.integers(10_000)):04d}", ""))
    return rows


def _dated(rng: Rng, date: str) -> list[Row]:
    clock = f"{int(rng.integers(7, 22)):02d}:{int(rng.integers(60)):02d}"
    number = f"No. {int(rng.integers(1, 10_000))}"
    label = "Date: " if rng.random() < 0.4 else ""
    right = pick(rng, (clock, number, ""))
    rows = [(label + date, right)]
    if rng.random() < 0.4:
        rows.append((f"Cashier {pick(rng, ('Tom', 'Eva', 'Lee', 'Mia'))}", ""))
    return rows


def _date(rng: Rng) -> tuple[str, int]:
    form = int(rng.integers(5))
    return _written(rng, form), form


def _written(rng: Rng, form: int) -> str:
    year, month, day = int(rng.integers(2019, 2027)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
    return (
        f"{year}-{month:02d}-{day:02d}",
        f"{day:02d}/{month:02d}/{year}",
        f"{day:02d}.{month:02d}.{year}",
        f"{day} {_MONTHS[month - 1]} {year}",
        f"{_MONTHS[month - 1]} {day}, {year}",
    )[form]


def _sums(rng: Rng) -> tuple[list[Row], int]:
    """Lines of what was bought and paid, and the total in cents."""
    sign = "$" if rng.random() < 0.4 else ""
    rows: list[Row] = []
    subtotal, count = 0, int(rng.integers(2, 7))
    for place in rng.permutation(len(_GOODS))[:count]:
        price, times = int(rng.integers(60, 2500)), int(rng.integers(2, 5)) if rng.random() < 0.2 else 1
        name = _GOODS[place] if times == 1 else f"{times} x {_GOODS[place]}"
        rows.append((name, sign + _money(price * times)))
        subtotal += price * times
    total = subtotal
    if rng.random() < 0.3:
        rows.append(("Total items", str(count)))
    if rng.random() < 0.25:
        off = int(rng.integers(50, max(51, subtotal // 4)))
        rows.append(("Discount", f"-{sign}{_money(off)}"))
        total -= off
    if rng.random() < 0.5:
        rows.append(("Subtotal", sign + _money(total)))
        tax = round(total * float(rng.uniform(0.05, 0.2)))
        rows.append((pick(rng, ("Tax", "VAT", "Sales tax")), sign + _money(tax)))
        total += tax
    rows.append((pick(rng, _TOTALS), sign + _money(total)))
    return rows + _payment(rng, sign, total), total


def _payment(rng: Rng, sign: str, total: int) -> list[Row]:
    how = rng.random()
    if how < 0.45:
        given = -(-total // 1000) * 1000 + 1000 * int(rng.integers(0, 3))
        return [("Cash", sign + _money(given)), ("Change", sign + _money(given - total))]
    if how < 0.8:
        return [(pick(rng, ("Visa", "Card", "Debit card")), sign + _money(total))]
    return [("You saved", sign + _money(int(rng.integers(50, 900))))] if rng.random() < 0.5 else []


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
