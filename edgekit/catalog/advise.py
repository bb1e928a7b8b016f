"""Which models fit a need, in which order and why; and warnings where the obvious one does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgekit.bundle.card import Card
from edgekit.catalog.match import Match, Mismatch, match
from edgekit.catalog.need import Need

NEAREST = 4


@dataclass(frozen=True, slots=True)
class Advice:
    """What came of a need: models that fit, the best first; those nearest that do not; warnings.

    Nearest are only models that do what is asked for to what is asked for, and miss a limit, a language or a licence,
    or whose card names the very thing as what it cannot do.
    """

    need: Need
    fitting: tuple[Match, ...]
    nearest: tuple[Match, ...]
    warnings: tuple[str, ...]

    @property
    def top(self) -> str:
        """The best model's name, or ``none``."""
        return self.fitting[0].name if self.fitting else "none"


def advise(need: Need, cards: Mapping[str, Card], likeness: Mapping[str, float] | None = None) -> Advice:
    """Ranks the cards for a need; of one in which neither a task nor a model was understood, none.

    Args:
        need: what is wanted.
        cards: name → card.
        likeness: name → how much the card's words are like the need's, -1 to 1. It decides between models that fit
            equally well, where nothing is preferred, in place of their size; nothing else.
    """
    if not need.wants and not need.models:
        return Advice(need, (), (), ("no task was understood",))
    named = {name: cards[name] for name in need.models} if need.models and not need.wants else cards
    matches = [match(name, card, need) for name, card in named.items()]
    fitting = tuple(sorted((m for m in matches if m.fits), key=lambda m: _key(m, need, likeness)))
    missed = [m for m in matches if not m.fits and (m.related or m.name in need.models)]
    nearest = tuple(sorted(missed, key=lambda m: (m.distance, m.name)))[:NEAREST]
    return Advice(need, fitting, nearest, _warnings(fitting, nearest, matches, need))


def _key(one: Match, need: Need, likeness: Mapping[str, float] | None) -> tuple[float, bool, float, str]:
    """The order of models: how well they fit; then what is preferred, those last of which it is not known."""
    placed = one.placement
    if need.prefer == "accuracy":  # of models of one kind the larger ones are the more accurate
        order: float | None = -float(one.card.parameters)
    elif need.prefer == "fast":
        order = placed.ms if need.device else one.card.operations
    elif need.prefer == "eco":
        order = placed.energy_wh if need.device else one.card.operations
    elif likeness is not None and not need.prefer:
        order = -likeness[one.name]
    else:
        order = float(placed.bytes)
    return one.distance, order is None, order or 0.0, one.name


def _warnings(
    fitting: tuple[Match, ...], nearest: tuple[Match, ...], matches: list[Match], need: Need
) -> tuple[str, ...]:
    if not fitting:
        asked = "; ".join(want.told() for want in need.wants)
        missed = "no model of the catalogue fits" if nearest else "no model of the catalogue does it"
        said = [f"asked for {asked}: {missed}"] if asked else []
        said += [f"{one.name}: {m.said}" for one in nearest for m in one.mismatches if m.hard]
        return tuple(dict.fromkeys(said))
    top = fitting[0]
    said = [f"{top.name}: {m.said}" for m in top.mismatches]
    unsure = bool(top.mismatches) and not _only_limits(top)
    if unsure or (top.card.general and any(want.kind == "classify_text" for want in need.wants)):
        near = [m for m in matches if m.made and m.related and m is not top and not _only_limits(m)]
        near.sort(key=lambda m: (m.distance, m.name))
        said += [f"{one.name}: {_first(one).said}" for one in near[:NEAREST]]
    said += [
        f"{m.name}: {one.said}" for m in nearest if m.name in need.models for one in m.mismatches if one.hard
    ]
    if need.licence and need.licence.use:
        refused = [m for m in nearest if {one.field for one in m.mismatches if one.hard} == {"licence"}]
        said += [f"{m.name}: {one.said}" for m in refused for one in m.mismatches if one.field == "licence"]
    return tuple(dict.fromkeys(said))


_LIMITS = frozenset({"size", "latency", "parameters", "licence"})


def _only_limits(one: Match) -> bool:
    """Nothing but numbers and terms is amiss, or nothing at all."""
    return {m.field for m in one.mismatches} <= _LIMITS


def _first(one: Match) -> Mismatch:
    """Its first mismatch that is no number or term."""
    return next(m for m in one.mismatches if m.field not in _LIMITS)
