"""A decision as tables and sentences on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from edgekit.catalog.decide.assumptions import Assumptions
    from edgekit.catalog.decide.breakeven import BreakEven
    from edgekit.catalog.decide.decision import Decision
    from edgekit.catalog.decide.options import Option
    from edgekit.catalog.decide.weight import Turn, Weight
    from edgekit.catalog.decide.workload import Workload

CHANGED = ("yours", "card of ")
"""How the source of a figure begins that a person changed."""


def on_terminal(
    decision: Decision,
    w: Workload,
    a: Assumptions,
    notes: Mapping[str, tuple[str, str]],
    weights: Mapping[str, Weight],
    every: bool,
) -> RenderableType:
    """All of it: options, recommendation, break-even volumes, the assumptions that count, or every one."""
    from rich.console import Group
    from rich.text import Text

    from edgekit.catalog.decide.reasons import reasons

    name = decision.recommended.name if decision.recommended else "none"
    told = [f"recommended: {name}", f"ruling constraint: {decision.ruling}"]
    told += [f"  - {sentence}" for sentence in reasons(decision, w)]
    return Group(
        Text(_asked(w, a)),
        _options(decision, w, a.around.days_a_month),
        Text("\n".join(["", *_told(decision), "", *told, ""])),
        _break_even(decision),
        *_assumptions(weights, a, notes, every),
    )


def _asked(w: Workload, a: Assumptions) -> str:
    conditions = [
        f"{w.calls_a_month:,.0f} calls a month ({w.calls_a_month / a.around.days_a_month:,.0f} a day)",
        "+".join(w.modalities),
        *([f"inputs on a {w.inputs_at}"] if w.inputs_at == "server" else []),
        *([f"99 of 100 within {w.max_latency_ms:,g} ms"] if w.max_latency_ms else []),
        *(word for word, holds in (("offline", w.offline), ("private", w.private)) if holds),
        *(
            word
            for word, holds in (("open-ended", w.open_ended), ("accuracy paramount", w.paramount))
            if holds
        ),
        *([f"a wrong result costs ${w.error_usd:,g}"] if w.error_usd else []),
        *([f"at most ${w.max_usd_a_month:,g} a month"] if w.max_usd_a_month else []),
        *([f"at most {w.max_bytes / 1e6:,g} MB of models on the device"] if w.max_bytes else []),
        *([f"{w.devices:,} x {a.device.name}"] if w.inputs_at == "device" else []),
    ]
    return ", ".join(conditions)


def _options(decision: Decision, w: Workload, days: float) -> Table:
    from rich.table import Table

    names = (
        "option",
        "p50 ms",
        "p99 ms",
        "memory MB",
        "kWh a month",
        "USD a month",
        "a day",
        "devices",
        "right",
    )
    errors = ("with errors",) if w.error_usd else ()
    table = Table(*names, *errors, "", box=None)
    for column in table.columns[1:-1]:
        column.justify = "right"
    for option in decision.options:
        table.add_row(*_row(option, decision, w, days))
    return table


def _row(option: Option, decision: Decision, w: Workload, days: float) -> list[str]:
    calls = w.calls_a_month
    usd = option.cost.at(calls)
    star = "~" if option.latency.estimated else ""
    with_errors = [f"{option.with_errors(w.error_usd).at(calls):,.2f}"] if w.error_usd else []
    chosen = decision.recommended is not None and option.name == decision.recommended.name
    out = ", ".join(dict.fromkeys(e.constraint for e in decision.excluded[option.name]))
    return [
        option.name,
        f"{star}{option.latency.p50_ms:,.0f}",
        f"{star}{option.latency.p99_ms:,.0f}",
        f"{option.memory_bytes / 1e6:,.3g}"
        if option.memory_bytes < 10e6
        else f"{option.memory_bytes / 1e6:,.0f}",
        f"{option.energy.at(calls) / 1000:,.4g}",
        f"{usd:,.2f}",
        f"{usd / days:,.2f}",
        f"{option.cost.units(calls):,}" if option.place == "device" else "",
        f"{option.accuracy:.0%}",
        *with_errors,
        "recommended" if chosen else f"ruled out: {out}" if out else "holds",
    ]


def _told(decision: Decision) -> Iterator[str]:
    """What each option is, and what rules it out."""
    for option in decision.options:
        yield f"{option.name}: {option.what}"
        yield from (f"  - ruled out by {e.constraint}: {e.why}" for e in decision.excluded[option.name])


def _break_even(decision: Decision) -> Table:
    from rich.table import Table

    table = Table("break-even", "", "", box=None)
    table.columns[1].justify = "right"
    for one in decision.break_even:
        out = " and ".join(name for name in (one.above, one.below) if decision.excluded[name])
        notes = (_later(one), f"ruled out: {out}" if out else "")
        sentence = f"{one.above} costs less than {one.below} from"
        table.add_row(sentence, f"{one.calls_a_month:,.0f} calls a month", "; ".join(filter(None, notes)))
    if not decision.break_even:
        table.add_row("none: the same options are cheaper at every volume", "", "")
    return table


def _later(one: BreakEven) -> str:
    if one.for_good == one.calls_a_month:
        return ""
    return "the next devices turn it again" if one.for_good is None else f"for good from {one.for_good:,.0f}"


def _assumptions(
    weights: Mapping[str, Weight], a: Assumptions, notes: Mapping[str, tuple[str, str]], every: bool
) -> Iterator[RenderableType]:
    """Those that were changed, that the recommended option is computed from, or that would turn the decision."""
    from rich.table import Table
    from rich.text import Text

    from edgekit.catalog.decide.assumptions import flat

    figures = flat(a)
    shown = [
        key
        for key, weight in weights.items()
        if every or weight.used or weight.turns or notes[key][1].startswith(CHANGED)
    ]
    table = Table("assumed (--set KEY=VALUE changes one)", "", "unit", "turns it", "source", box=None)
    table.columns[0].min_width = max(map(len, shown), default=0)  # a name that is cut short cannot be set
    table.columns[1].justify = "right"
    for key in shown:
        unit, source = notes[key]
        turns = "\n".join(_turn(turn, figures[key]) for turn in weights[key].turns)
        table.add_row(*map(Text, (key, _value(figures[key]), unit, turns, source)))
    if shown:
        yield Text()
        yield table
    if left := len(figures) - len(shown):
        yield Text(
            f"\n{left} more neither enter into what is recommended nor would turn it, each by itself, within "
            "a tenth to ten times their value: --all lists them"
        )


def _turn(turn: Turn, value: object) -> str:
    """``server-pipeline at 94.9 or less``."""
    to = turn.to if turn.to != "none" else "nothing holds"
    if isinstance(turn.at, int | float) and isinstance(value, int | float):
        at = f"{round(float(f'{turn.at:.3g}')):,}" if isinstance(turn.at, int) else f"{turn.at:.3g}"
        return f"{to} at {at} or {'less' if turn.at < value else 'more'}"
    return f"{to} with {_value(turn.at)}"


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_value, value))
    return (
        f"{value:,.6g}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )
