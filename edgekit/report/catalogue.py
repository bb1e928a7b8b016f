"""The catalogue as one HTML page: cards that a person filters and sorts, with no network and nothing but one script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.bundle.card import Card
from edgekit.catalog.devices import DEVICES
from edgekit.catalog.estimate import latency_ms
from edgekit.catalog.licences import licence_kind
from edgekit.catalog.sizes import BITS_A_PARAMETER, size_bytes
from edgekit.report.page import page
from edgekit.report.wording import size


def catalogue_html(cards: Mapping[str, Card]) -> str:
    """The page.

    Args:
        cards: name → card, in the order of the page until it is sorted.

    Raises:
        EnvironmentLacks: jinja2 is not installed.
    """
    shown = [_entry(name, card) for name, card in cards.items()]
    return page(
        "catalogue.html",
        styles=("page.css", "catalogue.css"),
        scripts=("catalogue.js",),
        title=f"edgekit's catalogue: {len(shown)} models",
        entries=shown,
        tasks=sorted({card.task for card in cards.values()}),
        languages=sorted({tag for card in cards.values() for tag in card.languages} - {"mul"}),
        licences=sorted({entry["licence"] for entry in shown}),
        precisions=list(BITS_A_PARAMETER),
        devices=list(DEVICES.values()),
    )


def _entry(name: str, card: Card) -> dict[str, Any]:
    sizes = {precision: size_bytes(card.parameters, precision) for precision in BITS_A_PARAMETER}
    words = " ".join([name, card.title, card.badge, card.domain, card.architecture, *card.subjects]).lower()
    return {
        "name": name,
        "card": card,
        "licence": licence_kind(card),
        "sizes": sizes,
        "shown_sizes": {precision: size(count) for precision, count in sizes.items()},
        "words": words,
        "held": [d.name for d in DEVICES.values() if sizes["int4"] <= d.memory_bytes],
        "estimates": _estimates(card),
        "times": [(one, milliseconds(one.ms)) for one in card.speed],
    }


def _estimates(card: Card) -> list[tuple[str, str]]:
    """Device → estimated time at int8, where the operations are known."""
    return [
        (device.what, milliseconds(ms))
        for device in DEVICES.values()
        if size_bytes(card.parameters, "int8") <= device.memory_bytes
        and (ms := latency_ms(card, device, "int8")) is not None
    ]


def milliseconds(value: float) -> str:
    """``0.40 ms``, ``12 ms`` or ``3.1 s``."""
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.2g} ms" if value < 10 else f"{value:.0f} ms"
