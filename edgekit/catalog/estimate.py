"""How long a model takes on a device that is not at hand: a roofline of its operations and its weights.

The time is that of the operations or that of reading the weights once, whichever is longer (Williams, Waterman
and Patterson, "Roofline", CACM 52(4), 2009), at the rates that published networks reach on the device. It is an
estimate and nothing more: of the 43 published times in ``tests/catalog/published.py`` each lies within a factor of
2, 40 within 1.7. It leaves out activations, pre- and post-processing, and that kernels differ from engine to engine.
The exporter's model of a layer (``edgekit_export/budget/latency.py``) counts onnxruntime's instructions; this one
needs no graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from edgekit.catalog.devices import Device, Rates, macs_per_s
from edgekit.catalog.sizes import size_bytes

WITHIN: Final = 2.0
"""Estimates lie within this factor of the published times they were fitted with."""

_JOULES_A_WH = 3600.0


class Work(Protocol):
    """What of a model's card decides its time; :class:`edgekit.bundle.card.Card` is one."""

    @property
    def parameters(self) -> int:
        """Of all networks together."""

    @property
    def active_parameters(self) -> int | None:
        """That one token uses, of a mixture of experts."""

    @property
    def operations(self) -> int | None:
        """Multiply-accumulates of one input, or of one token."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated time of one input, or of one token. It is never a measurement.

    Attributes:
        compute_ms: of its operations.
        memory_ms: of reading the weights it uses once.
    """

    compute_ms: float
    memory_ms: float

    @property
    def ms(self) -> float:
        """The longer of both."""
        return max(self.compute_ms, self.memory_ms)

    @property
    def bound(self) -> Literal["compute", "memory"]:
        """What takes the time."""
        return "compute" if self.compute_ms >= self.memory_ms else "memory"

    @property
    def range_ms(self) -> tuple[float, float]:
        """Where the time of a real engine is to be expected."""
        return self.ms / WITHIN, self.ms * WITHIN


def roofline(operations: float, weight_bytes: float, rates: Rates, precision: str) -> Estimate:
    """The estimate of so many multiply-accumulates and bytes of weights.

    Args:
        operations: multiply-accumulates.
        weight_bytes: that are read for them.
        rates: of what computes: a device.
        precision: ``fp32``, ``fp16``, ``int8`` or ``int4``.

    Raises:
        UsageError: another precision.
    """
    compute_ms = 1000 * operations / macs_per_s(rates, precision)
    return Estimate(compute_ms, 1000 * weight_bytes / rates.bandwidth_bytes_per_s)


def estimate(model: Work, device: Device, precision: str) -> Estimate | None:
    """The estimate of a model by its card; ``None`` where the card does not tell its operations.

    Of a mixture of experts it reads the active parameters and holds all of them.

    Raises:
        UsageError: another precision.
    """
    if model.operations is None:
        return None
    used = model.parameters if model.active_parameters is None else model.active_parameters
    return roofline(model.operations, size_bytes(used, precision), device, precision)


def latency_ms(model: Work, device: Device, precision: str) -> float | None:
    """Estimated milliseconds of one input or token; ``None`` where the card does not tell its operations.

    Raises:
        UsageError: another precision.
    """
    found = estimate(model, device, precision)
    return None if found is None else found.ms


def energy_wh(busy_ms: float, device: Device) -> float:
    """Watt hours that a device draws while it computes for so long, what it would draw idle included."""
    return device.watts_busy * busy_ms / 1000 / _JOULES_A_WH
