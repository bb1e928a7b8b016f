"""Which option to take, what decides it, and from which volume on another one would be cheaper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from edgekit.catalog.decide.assumptions import Assumptions
from edgekit.catalog.decide.breakeven import BreakEven, break_even
from edgekit.catalog.decide.constraints import CONSTRAINTS, Excluded, exclusions
from edgekit.catalog.decide.options import Option, options
from edgekit.catalog.decide.workload import Place, Workload


@dataclass(frozen=True, slots=True)
class Compared:
    """The recommended option beside another one.

    Attributes:
        other: name of it.
        faster: its median latency over that of the recommended one.
        cheaper: its cost over that of the recommended one, wrong results included.
        saved_usd_a_month: by not taking it.
        error_usd: what a wrong result must cost for the other one to be the better; ``None`` where it is not right
            more often.
    """

    other: str
    faster: float
    cheaper: float
    saved_usd_a_month: float
    error_usd: float | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What came out.

    Attributes:
        options: all of them.
        excluded: name of an option → what rules it out; empty where nothing does.
        recommended: the cheapest one that holds, errors included; ``None`` where none does.
        ruling: the constraint that decides: the one that leaves only devices or only servers, or that rules out what
            would be recommended without constraints; ``cost`` where none does; all that rule out the options, where
            none holds.
        mandatory: where it must run, if a constraint leaves no choice.
        otherwise: what would be recommended if nothing were ruled out.
        compared: the recommended one beside each other one that holds.
        break_even: of each two options whose costs cross.
    """

    options: tuple[Option, ...]
    excluded: Mapping[str, tuple[Excluded, ...]]
    recommended: Option | None
    ruling: str
    mandatory: Place | None
    otherwise: Option
    compared: tuple[Compared, ...]
    break_even: tuple[BreakEven, ...]


def decide(w: Workload, a: Assumptions) -> Decision:
    """The decision for a workload under assumptions."""
    every, recommended, excluded = held(w, a)
    otherwise = _cheapest(every, w)
    ruling, mandatory = _ruling(every, excluded, otherwise)
    return Decision(
        options=every,
        excluded=excluded,
        recommended=recommended,
        ruling=ruling,
        mandatory=mandatory,
        otherwise=otherwise,
        compared=_compared(recommended, [one for one in every if not excluded[one.name]], w),
        break_even=_crossings(every, w),
    )


def held(
    w: Workload, a: Assumptions
) -> tuple[tuple[Option, ...], Option | None, dict[str, tuple[Excluded, ...]]]:
    """All options, the cheapest of those that hold, errors included, and by name what rules each of them out."""
    every = options(w, a)
    excluded = {option.name: exclusions(option, every, w, a) for option in every}
    holding = [option for option in every if not excluded[option.name]]
    return every, _cheapest(holding, w) if holding else None, excluded


def _cheapest(among: tuple[Option, ...] | list[Option], w: Workload) -> Option:
    """Of equal costs the faster one."""

    def price(option: Option) -> tuple[float, float]:
        return option.with_errors(w.error_usd).at(w.calls_a_month), option.latency.p50_ms

    return min(among, key=price)


def _ruling(
    every: tuple[Option, ...], excluded: Mapping[str, tuple[Excluded, ...]], otherwise: Option
) -> tuple[str, Place | None]:
    if all(excluded.values()):
        first = {against[0].constraint for against in excluded.values()}
        return " and ".join(c for c in CONSTRAINTS if c in first), None
    no_device, no_server = (_barring(place, every, excluded) for place in ("device", "server"))
    if no_device or no_server:
        return no_device or no_server, "server" if no_device else "device"
    against = excluded[otherwise.name]
    return (against[0].constraint if against else "cost"), None


def _barring(place: str, every: tuple[Option, ...], excluded: Mapping[str, tuple[Excluded, ...]]) -> str:
    """The first constraint that rules out every option of a place; empty where none does."""
    there = [{e.constraint for e in excluded[option.name]} for option in every if option.place == place]
    return next((c for c in CONSTRAINTS if all(c in against for against in there)), "")


def _compared(recommended: Option | None, holding: list[Option], w: Workload) -> tuple[Compared, ...]:
    if recommended is None:
        return ()
    usd = {option.name: option.with_errors(w.error_usd).at(w.calls_a_month) for option in holding}
    least = usd[recommended.name]
    return tuple(
        Compared(
            other.name,
            other.latency.p50_ms / recommended.latency.p50_ms,
            usd[other.name] / least,
            usd[other.name] - least,
            _error_usd(recommended, other, w),
        )
        for other in holding
        if other is not recommended
    )


def _error_usd(recommended: Option, other: Option, w: Workload) -> float | None:
    rights = (other.accuracy - recommended.accuracy) * w.calls_a_month
    if rights <= 0:
        return None
    return (other.cost.at(w.calls_a_month) - recommended.cost.at(w.calls_a_month)) / rights


def _crossings(every: tuple[Option, ...], w: Workload) -> tuple[BreakEven, ...]:
    found = (
        break_even((x.name, y.name), (x.with_errors(w.error_usd), y.with_errors(w.error_usd)))
        for x, y in combinations(every, 2)
    )
    return tuple(one for one in found if one is not None)
