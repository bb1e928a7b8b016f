"""Every figure that a decision rests on: named, with a unit and a source, and changeable.

A figure that may be left to arithmetic is ``"computed"``; a number in its place is taken as it stands.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta

from edgekit.bundle.fields import Strict

LEAST: Final = 1e-12
"""What counts as more than 0: less would only overflow what it divides."""
Above0: TypeAlias = Annotated[float, Meta(ge=LEAST, le=1e18)]
AtLeast0: TypeAlias = Annotated[float, Meta(ge=0, le=1e18)]
Whole: TypeAlias = Annotated[int, Meta(ge=1, le=10**15)]
WholeOr0: TypeAlias = Annotated[int, Meta(ge=0, le=10**15)]
Share: TypeAlias = Annotated[float, Meta(ge=LEAST, le=1)]
Factor: TypeAlias = Annotated[float, Meta(ge=1, le=1000)]
Precision: TypeAlias = Literal["fp32", "fp16", "int8", "int4"]
Computed: TypeAlias = Literal["computed"]
Takes: TypeAlias = Annotated[tuple[Literal["image", "text", "sound"], ...], Meta(min_length=1, max_length=3)]


class OnDevice(Strict, frozen=True):
    """The device, what is bought with it, and how it is used."""

    name: str
    fp32_macs_per_s: Above0
    fp16_macs_per_s: Above0
    int8_macs_per_s: Above0
    bandwidth_bytes_per_s: Above0
    memory_bytes: Above0
    watts_idle: AtLeast0
    watts_busy: Above0
    price_usd: Above0
    runtime_bytes: AtLeast0
    accessories_usd: AtLeast0 = 25.0
    lifetime_months: Above0 = 36.0
    upkeep_usd_a_month: AtLeast0 = 1.0
    busy_share: Share = 0.7
    overhead_ms: AtLeast0 = 10.0
    p99_factor: Factor = 1.3
    usable_memory: Share = 0.8


class Specialist(Strict, frozen=True):
    """A small model that answers one question."""

    parameters: Whole
    operations: Above0
    precision: Precision = "int8"
    accuracy: Share = 0.93


class Vlm(Strict, frozen=True):
    """A model on the device that answers any question about a picture or a text."""

    parameters: Whole = 256_484_928
    decoder_parameters: Whole = 134_600_000
    tower_operations: AtLeast0 = 100e9
    picture_tokens: WholeOr0 = 64
    prompt_tokens: WholeOr0 = 50
    answer_tokens: Whole = 20
    precision: Precision = "int8"
    takes: Takes = ("image", "text")
    accuracy: Share = 0.80


class Cascade(Strict, frozen=True):
    """A detector looks at everything, and a model that answers questions at what it finds."""

    trigger_share: Share = 0.05
    answers_on: Literal["device", "server"] = "device"
    accuracy: Share = 0.90


class Pipeline(Strict, frozen=True):
    """Specialists on a server, one after the other."""

    stages_ms: Annotated[tuple[Above0, ...], Meta(min_length=1, max_length=32)] = (200.0, 150.0)
    usd_a_call: Above0 = 0.0005
    memory_bytes: Above0 = 2e9
    watts: Above0 = 50.0
    accuracy: Share = 0.95


class Generalist(Strict, frozen=True):
    """A large model on a server."""

    parameters: Whole = 70_000_000_000
    active_parameters: Whole | Computed = "computed"
    experts: Whole = 1
    top_k: Whole = 1
    hot_device: Factor = 1.0
    precision: Precision = "int8"
    prompt_tokens: Whole = 1000
    answer_tokens: Whole = 50
    concurrent: Whole = 4
    cache_bytes_a_call: AtLeast0 = 0.35e9
    gpus: Whole | Computed = "computed"
    ms: Above0 | Computed = "computed"
    usd_a_call: Above0 | Computed = "computed"
    takes: Takes = ("image", "text")
    accuracy: Share = 0.96

    @property
    def active(self) -> int:
        """Parameters that one token uses."""
        return self.parameters if self.active_parameters == "computed" else self.active_parameters


class Gpu(Strict, frozen=True):
    """The card that a generalist runs on."""

    fp32_macs_per_s: Above0
    fp16_macs_per_s: Above0
    int8_macs_per_s: Above0
    bandwidth_bytes_per_s: Above0
    memory_bytes: Above0
    watts_idle: AtLeast0
    watts_busy: Above0
    usable_memory: Share = 0.9
    usd_an_hour: Above0 = 4.0
    used_share: Share = 0.5


class Server(Strict, frozen=True):
    """The way there and back, and the queue in front of it."""

    network_p50_ms: AtLeast0 = 60.0
    network_p99_ms: AtLeast0 = 150.0
    p99_factor: Factor = 2.0


class Around(Strict, frozen=True):
    """What holds of all options."""

    usd_a_kwh: AtLeast0 = 0.20
    days_a_month: Above0 = 30.0
    paramount_within: AtLeast0 = 0.02


class Assumptions(Strict, frozen=True):
    """All of them; a section is a table of the TOML."""

    device: OnDevice
    specialist: Specialist
    vlm: Vlm
    cascade: Cascade
    pipeline: Pipeline
    dense: Generalist
    moe: Generalist
    gpu: Gpu
    server: Server
    around: Around


def flat(assumptions: Assumptions) -> dict[str, Any]:
    """``section.figure`` → its value, in the order they are written."""
    return {
        f"{section}.{figure}": getattr(getattr(assumptions, section), figure)
        for section in assumptions.__struct_fields__
        for figure in getattr(assumptions, section).__struct_fields__
    }
