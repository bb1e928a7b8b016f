"""Which models fit a need, in which order and why; and warnings where the obvious one does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgekit.bundle.card import Card
from edgekit.catalog.match import Match, match
from edgekit.catalog.need import Need

NEAREST = 4


@dataclass(frozen=True, slots=True)
class Advice:
    """What came of a need: models that fit, the best first; those nearest that do not; warnings."""

    need: Need
    fitting: tuple[Match, ...]
    nearest: tuple[Match, ...]
    warnings: tuple[str, ...]

    @property
    def top(self) -> str:
        """The best model's name, or ``none``."""
        return self.fitting[0].name if self.fitting else "none"


def advise(need: Need, cards: Mapping[str, Card]) -> Advice:
    """Ranks the cards for a need."""
    named = {name: cards[name] for name in need.models} if need.models and not need.wants else cards
    matches = [match(name, card, need) for name, card in named.items()]
    fitting = tuple(sorted((m for m in matches if m.fits), key=lambda m: _key(m, need)))
    others = tuple(sorted((m for m in matches if not m.fits), key=lambda m: (m.distance, m.name)))[:NEAREST]
    return Advice(need, fitting, others, _warnings(fitting, others, matches, need))


def _key(one: Match, need: Need) -> tuple[float, float, str]:
    placed, operations = one.placement, float(one.card.operations or one.card.parameters)
    order = {
        "accuracy": -float(one.card.parameters),
        "fast": placed.ms if placed.ms is not None else operations,
        "eco": placed.energy_wh if placed.energy_wh is not None else operations,
    }
    return one.distance, order.get(need.prefer, float(placed.bytes)), one.name


def _warnings(
    fitting: tuple[Match, ...], nearest: tuple[Match, ...], matches: list[Match], need: Need
) -> tuple[str, ...]:
    said = []
    if not fitting:
        said = [f"{one.name}: {m.said}" for one in nearest for m in one.mismatches if m.hard]
    else:
        top = fitting[0]
        said = [f"{top.name}: {m.said}" for m in top.mismatches]
        if said or top.card.general:
            near = [one for one in matches if one.made and one is not top and not _only_limits(one)]
            near.sort(key=lambda m: (m.distance, m.name))
            if said or need.wants[0].kind == "classify_text":
                said += [f"{one.name}: {m.said}" for one in near[:NEAREST] for m in one.mismatches[:1]]
        passed = [one for one in matches if {m.field for m in one.mismatches if m.hard} == {"licence"}]
        if need.licence and need.licence.use and passed:
            said += [
                f"{one.name}: {m.said}" for one in passed for m in one.mismatches if m.field == "licence"
            ]
    return tuple(dict.fromkeys(said))


def _only_limits(one: Match) -> bool:
    return {m.field for m in one.mismatches} <= {"size", "latency", "parameters", "licence"}
