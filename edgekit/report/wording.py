"""How reports write figures and sentences."""

from __future__ import annotations

from edgekit.evaluation.measure import POINTS


def points(value: float) -> str:
    """Percentage points, e.g. ``0.80``; never ``-0.00``."""
    return f"{round(value, 2) + 0.0:.2f}"


def span(interval: tuple[float, float]) -> str:
    """``-0.10 to 1.70``."""
    return f"{points(interval[0])} to {points(interval[1])}"


def level(value: float, unit: str) -> str:
    """A metric's value in its unit: ``87.20 %`` where differences are points, else e.g. ``1.234 nats``."""
    return f"{points(value)} %" if unit == POINTS else f"{value:.4g}{suffix(unit)}"


def difference(value: float, unit: str) -> str:
    """A difference in its unit, without the unit's name."""
    return points(value) if unit == POINTS else f"{value:.3g}"


def suffix(unit: str) -> str:
    """A unit behind its value; one of several words stands in brackets."""
    return f" ({unit})" if " " in unit else f" {unit}"


def decibels(value: float | None, missing: str = "–") -> str:
    """``21.5 dB``."""
    return missing if value is None else f"{value:.1f} dB"


def size(size_bytes: int) -> str:
    """``5.19 MB`` (10^6 bytes) or ``12.3 kB``."""
    return f"{size_bytes / 1e6:.2f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.1f} kB"


def percent(share: float) -> str:
    """A level of confidence or a share, 0–1, as ``95 %``."""
    return f"{round(100 * share, 2):g} %"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
