"""What is asked: how much of what, how fast, under which conditions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from edgekit.errors import UsageError

MODALITIES: Final = ("image", "text", "sound")
MOST_CALLS: Final = 1e15
"""A month. More than all cameras there are can take."""
Place = Literal["device", "server"]


@dataclass(frozen=True, slots=True)
class Workload:
    """What is asked of the system.

    Attributes:
        calls_a_month: inputs a month: frames, documents, requests.
        modalities: of an input, of :data:`MODALITIES`.
        max_latency_ms: that 99 of 100 results may take; ``None`` where it does not matter.
        offline: it must work without a network.
        private: inputs must not leave the device.
        open_ended: questions are not known beforehand, so that no model can be trained for one.
        paramount: accuracy goes before cost.
        error_usd: what a wrong result costs.
        max_usd_a_month: the budget; ``None`` where there is none.
        max_bytes: of the models that lie on the device; ``None`` where it does not matter.
        devices: places that need one each.
        inputs_at: where the inputs arise: at a camera, or on a server that has them already.
    """

    calls_a_month: float
    modalities: tuple[str, ...] = ("image",)
    max_latency_ms: float | None = None
    offline: bool = False
    private: bool = False
    open_ended: bool = False
    paramount: bool = False
    error_usd: float = 0.0
    max_usd_a_month: float | None = None
    max_bytes: int | None = None
    devices: int = 1
    inputs_at: Place = "device"

    def __post_init__(self) -> None:
        _above_0("volume", "calls a month", self.calls_a_month)
        if self.calls_a_month > MOST_CALLS:
            raise UsageError(
                f"volume: expected at most {MOST_CALLS:,.0f} calls a month, got {self.calls_a_month:g}"
            )
        _above_0("latency", "ms", self.max_latency_ms)
        _above_0("budget", "USD a month", self.max_usd_a_month)
        _above_0("size", "bytes", self.max_bytes)
        _above_0("devices", "of them", self.devices)
        if not (math.isfinite(self.error_usd) and self.error_usd >= 0):
            raise UsageError(f"cost of an error: expected 0 USD or more, got {self.error_usd:g}")
        check_modalities(self.modalities)
        if self.inputs_at == "server" and (self.offline or self.private):
            why = "offline" if self.offline else "private"
            raise UsageError(
                f"{why}, and the inputs are on a server already: this contradicts itself",
                f"drop either --{why} or --inputs-at server",
            )


def check_modalities(modalities: tuple[str, ...]) -> tuple[str, ...]:
    """Modalities as they are.

    Raises:
        UsageError: an unknown one, one twice, or none.
    """
    unknown = [m for m in modalities if m not in MODALITIES]
    if unknown or not modalities or len({*modalities}) < len(modalities):
        got = ",".join(modalities) or "nothing"
        raise UsageError(f"modalities: got {got}", f"expected some of {', '.join(MODALITIES)}, each once")
    return modalities


def _above_0(what: str, unit: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise UsageError(f"{what}: expected more than 0 {unit}, got {value:g}")
