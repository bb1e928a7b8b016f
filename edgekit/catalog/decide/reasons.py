"""Why an option is recommended, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edgekit.catalog.decide.decision import Decision
from edgekit.catalog.decide.options import Option
from edgekit.catalog.decide.workload import Workload
from edgekit.catalog.estimate import WITHIN

_ALIKE: Final = 1.05  # what estimates cannot tell apart


def usd(amount: float) -> str:
    """``$25,000``, ``$12.34`` or ``$0.0005``."""
    if abs(amount) >= 1000:
        return f"${amount:,.0f}"
    return f"${amount:,.2f}" if abs(amount) >= 0.1 or amount == 0 else f"${amount:.2g}"


def reasons(decision: Decision, w: Workload) -> list[str]:
    """What speaks for the recommended option, what decides, and what to look at before it is bought."""
    return [*_deciding(decision), *_for_it(decision, w), *_cautions(decision, w)]


def _deciding(decision: Decision) -> Iterator[str]:
    if decision.recommended is None:
        yield "nothing holds: every option is ruled out"
        for name, against in decision.excluded.items():
            by = {one.constraint for one in against}
            if len(by) == 1:
                yield f"without {by.pop()}, {name} would hold"
        return
    if decision.mandatory is not None:
        other = "server" if decision.mandatory == "device" else "device"
        where = "on-device is mandatory" if decision.mandatory == "device" else "a server is mandatory"
        why = next(
            e.why
            for option in decision.options
            if option.place == other
            for e in decision.excluded[option.name]
            if e.constraint == decision.ruling
        )
        yield f"{where}: {decision.ruling} rules out every option on {_a(other)}: {why}"
    elif decision.ruling != "cost":
        why = next(
            e.why for e in decision.excluded[decision.otherwise.name] if e.constraint == decision.ruling
        )
        yield f"without {decision.ruling} it would be {decision.otherwise.name}: {why}"


def _a(place: str) -> str:
    return "a server" if place == "server" else "the device"


def _for_it(decision: Decision, w: Workload) -> Iterator[str]:
    chosen = decision.recommended
    if chosen is None:
        return
    holding = 1 + len(decision.compared)
    total = chosen.with_errors(w.error_usd).at(w.calls_a_month)
    errors = ", wrong results included" if w.error_usd else ""
    rank = "the only one that holds" if holding == 1 else f"the least of the {holding} that hold"
    yield f"{usd(total)} a month{errors}: {rank}"
    for one in decision.compared:
        saved = f", {usd(one.saved_usd_a_month)} a month saved"
        cheaper = (
            f"{_times(one.cheaper)} cheaper{saved}" if one.cheaper >= _ALIKE else "at about the same cost"
        )
        yield f"beside {one.other}: {_speed(one.faster)}, {cheaper}"


def _speed(ratio: float) -> str:
    if ratio >= _ALIKE:
        return f"{_times(ratio)} as fast"
    return f"{_times(1 / ratio)} as slow" if 1 / ratio >= _ALIKE else "about as fast"


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio < 100 else f"{ratio:,.0f} times"


def _cautions(decision: Decision, w: Workload) -> Iterator[str]:
    chosen = decision.recommended
    if chosen is None:
        return
    limit = w.max_latency_ms
    if chosen.latency.estimated and limit is not None and chosen.latency.p99_ms * WITHIN > limit:
        yield (
            f"its p99 of {chosen.latency.p99_ms:,.0f} ms is estimated, within a factor of {WITHIN:g}: "
            f"measure it (edgekit bench) before you rely on {limit:,.4g} ms"
        )
    yield from _next_unit(chosen, w)
    right = {option.name: option.accuracy for option in decision.options}
    dearer = [(one.error_usd, one.other) for one in decision.compared if one.error_usd is not None]
    if dearer:
        pays_from, other = min(dearer)
        yield (
            f"{other} is right more often, {right[other]:.3g} against {chosen.accuracy:.3g}: it is better where "
            f"a wrong result costs more than {usd(pays_from)}"
        )


def _next_unit(chosen: Option, w: Workload) -> Iterator[str]:
    units = chosen.cost.units(w.calls_a_month)
    if chosen.place == "device" and units > w.devices:
        yield (
            f"{units:,} devices share the load, each with at most {chosen.cost.calls_a_unit:,.0f} calls a month "
            "at the share of the time it may be busy"
        )
