"""A decision as ``--json`` has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from edgekit.catalog.decide.assumptions import Assumptions, flat
from edgekit.catalog.decide.decision import Decision
from edgekit.catalog.decide.options import Option
from edgekit.catalog.decide.reasons import reasons
from edgekit.catalog.decide.weight import Weight
from edgekit.catalog.decide.workload import Workload


def record(
    decision: Decision,
    w: Workload,
    a: Assumptions,
    notes: Mapping[str, tuple[str, str]],
    weights: Mapping[str, Weight],
) -> dict[str, Any]:
    """What was asked and assumed, every option, the recommendation and what decided it."""
    return {
        "workload": asdict(w),
        "options": [_option(option, decision, w, a.around.days_a_month) for option in decision.options],
        "recommended": decision.recommended.name if decision.recommended else None,
        "ruling": decision.ruling,
        "mandatory": decision.mandatory,
        "otherwise": decision.otherwise.name,
        "reasons": reasons(decision, w),
        "compared": [asdict(one) for one in decision.compared],
        "break_even": [asdict(one) for one in decision.break_even],
        "assumptions": {
            key: {"value": value, "unit": notes[key][0], "source": notes[key][1], **asdict(weights[key])}
            for key, value in flat(a).items()
        },
    }


def _option(option: Option, decision: Decision, w: Workload, days_a_month: float) -> dict[str, Any]:
    usd = option.cost.at(w.calls_a_month)
    return {
        "name": option.name,
        "what": option.what,
        "place": option.place,
        "latency_ms": {"p50": option.latency.p50_ms, "p99": option.latency.p99_ms},
        "latency_kind": "estimated" if option.latency.estimated else "stated",
        "memory_bytes": option.memory_bytes,
        "model_bytes": option.model_bytes,
        "energy_wh_a_month": option.energy.at(w.calls_a_month),
        "usd_a_month": usd,
        "usd_a_day": usd / days_a_month,
        "usd_a_month_with_errors": option.with_errors(w.error_usd).at(w.calls_a_month),
        "devices": option.cost.units(w.calls_a_month),
        "accuracy": option.accuracy,
        "ruled_out": [asdict(one) for one in decision.excluded[option.name]],
    }
