"""What rules an option out, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edgekit.catalog.decide.assumptions import Assumptions
from edgekit.catalog.decide.options import Option
from edgekit.catalog.decide.workload import Workload
from edgekit.catalog.fits import NARROWEST, cannot_fit
from edgekit.catalog.sizes import size_bytes

CONSTRAINTS: Final = (
    "offline",
    "private",
    "inputs",
    "open-ended",
    "modality",
    "latency",
    "accuracy",
    "size",
    "memory",
    "budget",
)
"""In the order in which one of several is named: what cannot be bought comes before what can."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """Why an option does not hold.

    Attributes:
        constraint: one of :data:`CONSTRAINTS`.
        why: what it takes, and what is allowed.
    """

    constraint: str
    why: str


def exclusions(option: Option, among: Sequence[Option], w: Workload, a: Assumptions) -> tuple[Excluded, ...]:
    """All that rules an option out, in the order of :data:`CONSTRAINTS`.

    Args:
        option: to look at.
        among: all options, for what is the most accurate.
        w: what is asked.
        a: what is assumed.
    """
    return (*_of_place(option, w), *_of_ability(option, among, w, a), *_of_means(option, w, a))


def _of_place(option: Option, w: Workload) -> Iterator[Excluded]:
    if w.offline and option.networked:
        yield Excluded("offline", "it needs a network")
    if w.private and option.networked:
        yield Excluded("private", "inputs would leave the device")
    if w.inputs_at == "server" and option.place == "device":
        yield Excluded("inputs", "the inputs are on a server already")


def _of_ability(option: Option, among: Sequence[Option], w: Workload, a: Assumptions) -> Iterator[Excluded]:
    if w.open_ended and option.narrow:
        yield Excluded("open-ended", "it answers only what it was trained for")
    missing = [modality for modality in w.modalities if modality not in option.takes]
    if missing:
        yield Excluded("modality", f"it takes {' and '.join(option.takes)}, not {' or '.join(missing)}")
    if w.max_latency_ms is not None and option.latency.p99_ms > w.max_latency_ms:
        yield Excluded("latency", _too_slow(option, w.max_latency_ms, w, a))
    best = max(other.accuracy for other in among)
    if w.paramount and option.accuracy < best - a.around.paramount_within - 1e-12:
        yield Excluded("accuracy", f"right in {option.accuracy:.3g} of cases where {best:.3g} can be had")


def _too_slow(option: Option, limit_ms: float, w: Workload, a: Assumptions) -> str:
    network_ms = a.server.network_p99_ms
    if option.place == "server" and w.inputs_at == "device" and network_ms > limit_ms:
        return f"the network alone takes {network_ms:,.4g} ms (p99) of the {limit_ms:,.4g} allowed"
    return f"{option.latency.p99_ms:,.4g} ms (p99) of {limit_ms:,.4g} allowed"


def _of_means(option: Option, w: Workload, a: Assumptions) -> Iterator[Excluded]:
    if w.max_bytes is not None and option.models:
        yield from _too_large(option, w.max_bytes)
    usable = a.device.memory_bytes * a.device.usable_memory
    if option.place == "device" and option.memory_bytes > usable:
        yield Excluded("memory", f"{option.memory_bytes / 1e6:,.4g} MB of {usable / 1e6:,.4g} usable")
    usd = option.cost.at(w.calls_a_month)
    if w.max_usd_a_month is not None and usd > w.max_usd_a_month:
        yield Excluded("budget", f"${usd:,.2f} a month of ${w.max_usd_a_month:,.2f}")


def _too_large(option: Option, limit_bytes: int) -> Iterator[Excluded]:
    for parameters, _ in option.models:
        why = cannot_fit(parameters, limit_bytes)
        if why is not None:
            yield Excluded("size", why)
            return
    if option.model_bytes > limit_bytes:
        have = ", ".join(f"{parameters:,} in {precision}" for parameters, precision in option.models)
        least = sum(size_bytes(parameters, NARROWEST) for parameters, _ in option.models)
        yield Excluded(
            "size",
            f"{option.model_bytes / 1e6:,.4g} MB of parameters ({have}), {limit_bytes / 1e6:,.4g} MB allowed; "
            f"{NARROWEST} would take {least / 1e6:,.4g} MB",
        )
