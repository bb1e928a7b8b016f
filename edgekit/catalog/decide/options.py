"""The ways to do it, each with what it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from edgekit.catalog.decide import latency
from edgekit.catalog.decide.assumptions import Assumptions, Generalist
from edgekit.catalog.decide.cost import Steps
from edgekit.catalog.decide.latency import Latency
from edgekit.catalog.decide.workload import MODALITIES, Place, Workload
from edgekit.catalog.sizes import size_bytes

_SECONDS_A_DAY: Final = 86_400
_SECONDS_AN_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Option:
    """One way to do it.

    Attributes:
        name: short, as tables have it.
        what: in words.
        place: where results come from.
        networked: whether inputs leave the device.
        latency: of a call.
        memory_bytes: that are held, on the device or on all GPUs together.
        models: parameters and precision of each model that lies on the device.
        cost: USD over calls a month.
        energy: watt hours over calls a month; the network's is not counted.
        accuracy: share of results that are right.
        takes: modalities it can take.
        narrow: whether it answers only what it was trained for.
    """

    name: str
    what: str
    place: Place
    networked: bool
    latency: Latency
    memory_bytes: float
    models: tuple[tuple[int, str], ...]
    cost: Steps
    energy: Steps
    accuracy: float
    takes: tuple[str, ...]
    narrow: bool

    @property
    def model_bytes(self) -> int:
        """Of the weights that lie on the device."""
        return sum(size_bytes(parameters, precision) for parameters, precision in self.models)

    def with_errors(self, error_usd: float) -> Steps:
        """Its cost with what its wrong results cost."""
        return replace(self.cost, a_call=self.cost.a_call + (1 - self.accuracy) * error_usd)


def options(workload: Workload, a: Assumptions) -> tuple[Option, ...]:
    """All of them, whether they hold or not: two on the device, the cascade, three on a server."""
    network = workload.inputs_at == "device"
    return (
        _specialist(workload, a),
        _vlm(workload, a),
        _cascade(workload, a),
        _pipeline(a, network),
        _generalist("server-dense", a.dense, a, network),
        _generalist("server-moe", a.moe, a, network),
    )


def _specialist(workload: Workload, a: Assumptions) -> Option:
    s = a.specialist
    return _on_device(
        "device-specialist",
        f"specialist on the device: {_millions(s.parameters)} parameters in {s.precision}, "
        f"{_millions(s.operations)} operations an input",
        (workload, a),
        latency.of_specialist(a),
        ((s.parameters, s.precision),),
        s.accuracy,
        MODALITIES,
        narrow=True,
    )


def _vlm(workload: Workload, a: Assumptions) -> Option:
    v = a.vlm
    models = ((v.parameters, v.precision),)
    told = latency.of_vlm(a)
    what = (
        f"vision-language model on the device: {_millions(v.parameters)} parameters in {v.precision}, "
        f"{v.picture_tokens + v.prompt_tokens} tokens in, {v.answer_tokens} out"
    )
    return _on_device("device-vlm", what, (workload, a), told, models, v.accuracy, v.takes, narrow=False)


def _cascade(workload: Workload, a: Assumptions) -> Option:
    here = a.cascade.answers_on == "device"
    first = (a.specialist.parameters, a.specialist.precision)
    models = (first, (a.vlm.parameters, a.vlm.precision)) if here else (first,)
    told = latency.of_cascade(a)
    alone = _on_device(
        "cascade",
        f"detector on the device; {a.cascade.trigger_share:.3g} of its inputs are answered "
        f"{'there by the vision-language model' if here else 'by the dense generalist'}",
        (workload, a),
        told,
        models,
        a.cascade.accuracy,
        a.vlm.takes if here else a.dense.takes,
        narrow=False,
    )
    if here:
        return alone
    share = a.cascade.trigger_share
    usd, wh = _usd_a_call(a.dense, a), _wh_a_call(a.dense, a)
    cost = replace(alone.cost, a_call=alone.cost.a_call + share * usd)
    energy = replace(alone.energy, a_call=alone.energy.a_call + share * wh)
    return replace(alone, networked=True, cost=cost, energy=energy)


def _on_device(
    name: str,
    what: str,
    asked: tuple[Workload, Assumptions],
    told: Latency,
    models: tuple[tuple[int, str], ...],
    accuracy: float,
    takes: tuple[str, ...],
    narrow: bool,
) -> Option:
    workload, a = asked
    d = a.device
    seconds = a.around.days_a_month * _SECONDS_A_DAY
    capacity = d.busy_share * seconds * 1000 / told.busy_ms if told.busy_ms > 0 else math.inf
    idle_wh = d.watts_idle * seconds / _SECONDS_AN_HOUR
    call_wh = (d.watts_busy - d.watts_idle) * told.busy_ms / 1000 / _SECONDS_AN_HOUR
    usd_a_wh = a.around.usd_a_kwh / 1000
    unit_usd = (d.price_usd + d.accessories_usd) / d.lifetime_months + d.upkeep_usd_a_month
    return Option(
        name=name,
        what=what,
        place="device",
        networked=False,
        latency=told,
        memory_bytes=sum(size_bytes(n, precision) for n, precision in models) + d.runtime_bytes,
        models=models,
        cost=Steps(unit_usd + idle_wh * usd_a_wh, call_wh * usd_a_wh, capacity, workload.devices),
        energy=Steps(idle_wh, call_wh, capacity, workload.devices),
        accuracy=accuracy,
        takes=takes,
        narrow=narrow,
    )


def _pipeline(a: Assumptions, network: bool) -> Option:
    told = latency.of_pipeline(a, network)
    return Option(
        name="server-pipeline",
        what=f"specialists on a server, one after the other: {' + '.join(f'{ms:g}' for ms in a.pipeline.stages_ms)} ms",
        place="server",
        networked=True,
        latency=told,
        memory_bytes=a.pipeline.memory_bytes,
        models=(),
        cost=Steps(0.0, a.pipeline.usd_a_call),
        energy=Steps(0.0, a.pipeline.watts * told.busy_ms / 1000 / _SECONDS_AN_HOUR),
        accuracy=a.pipeline.accuracy,
        takes=MODALITIES,
        narrow=True,
    )


def _generalist(name: str, g: Generalist, a: Assumptions, network: bool) -> Option:
    return Option(
        name=name,
        what=_of_a_generalist(g, a),
        place="server",
        networked=True,
        latency=latency.of_generalist(g, a, network),
        memory_bytes=latency.generalist_bytes(g),
        models=(),
        cost=Steps(0.0, _usd_a_call(g, a)),
        energy=Steps(0.0, _wh_a_call(g, a)),
        accuracy=g.accuracy,
        takes=g.takes,
        narrow=False,
    )


def _of_a_generalist(g: Generalist, a: Assumptions) -> str:
    count = latency.gpus(g, a.gpu)
    held = f"{_millions(g.parameters)} parameters in {g.precision} on {count} GPU{'s' if count > 1 else ''}"
    if g.experts == 1:
        return f"dense generalist on a server: {held}"
    typical, slow = (latency.busiest(g, a.gpu, g.concurrent, q) for q in (latency.MEDIAN, latency.SLOW))
    return (
        f"mixture of experts on a server: {held}, {_millions(g.active)} active; the busiest GPU has "
        f"{typical:.3g} times its part of a batch in the median step, {slow:.3g} in the slowest of 100"
    )


def _millions(number: float) -> str:
    return f"{number / 1e9:.4g} billion" if number >= 1e9 else f"{number / 1e6:.4g} million"


def _gpu_seconds(g: Generalist, a: Assumptions) -> float:
    """Seconds of one GPU that a call is charged, while it works."""
    return latency.gpus(g, a.gpu) * latency.of_generalist(g, a).busy_ms / 1000 / g.concurrent


def _usd_a_call(g: Generalist, a: Assumptions) -> float:
    if g.usd_a_call != "computed":
        return g.usd_a_call
    return _gpu_seconds(g, a) * a.gpu.usd_an_hour / _SECONDS_AN_HOUR / a.gpu.used_share


def _wh_a_call(g: Generalist, a: Assumptions) -> float:
    """With what the GPUs draw idle for it."""
    idle = a.gpu.watts_idle * (1 / a.gpu.used_share - 1)
    return _gpu_seconds(g, a) * (a.gpu.watts_busy + idle) / _SECONDS_AN_HOUR
