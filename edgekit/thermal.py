"""How hot the machine is, as Linux and the Raspberry Pi's firmware tell it. Reads files; runs ``vcgencmd`` where it is.

Sources: ``Documentation/driver-api/thermal/sysfs-api.rst`` and ``admin-guide/pm/cpufreq.rst`` of the kernel, and
``get_throttled`` of the Raspberry Pi's documentation.
"""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edgekit.ladder import Heat

SYSTEM = Path("/sys")

FALLBACK_LIMIT_C = 80.0
"""Where a zone names no point from which the clock is slowed: a Raspberry Pi's firmware begins at 80 °C."""

BELOW_CRITICAL_C = 10.0
INTERVAL_S = 2.0
TOOL_TIMEOUT_S = 2.0
JOIN_TIMEOUT_S = 5.0

_CPU_ZONE = re.compile(r"cpu|soc|pkg|core|big|little|cluster", re.IGNORECASE)
_SLOWED = {1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
"""Bits of ``get_throttled`` that say that the processor is slowed at this moment."""


class Thermometer:
    """Reads temperatures and what slows the processor.

    Args:
        root: the kernel's ``/sys``; for tests and simulated heat a folder laid out like it. The firmware's tool is
            asked only where this is the real one.
        tool: asks the firmware, and gives the tool's answer.

    Attributes:
        notes: what a person should know of what was found at the start.
    """

    def __init__(self, root: Path = SYSTEM, tool: Callable[[], str] | None = None) -> None:
        self.notes: list[str] = []
        self._root = root
        self._tool = tool or (_vcgencmd if root == SYSTEM and shutil.which("vcgencmd") else None)
        self._highest_khz: dict[Path, int] = {}
        self._zones = self._find_zones()
        self._frequencies = sorted(root.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_max_freq"))
        self._limited()  # what is slow now may be a person's wish: only what gets slower is heat
        self._note_limits()

    @property
    def known(self) -> bool:
        """Whether the machine tells anything about heat."""
        return bool(self._zones or self._frequencies or self._tool or self._firmware_file.is_file())

    def read(self) -> Heat:
        """Reads everything once: a millisecond, and five more where the firmware's tool is run."""
        zones = [
            (celsius, limit)
            for zone, limit in self._zones
            if (celsius := _celsius(zone / "temp")) is not None
        ]
        reasons = [*self._limited(), *self._firmware()]
        if not zones:
            return Heat(throttled=", ".join(reasons))
        celsius, limit = max(zones, key=lambda pair: pair[0] - pair[1])
        return Heat(celsius, limit, ", ".join(reasons))

    def _find_zones(self) -> list[tuple[Path, float]]:
        """Zones that matter, each with the temperature from which it slows the clock."""
        found = []
        for zone in sorted(self._root.glob("class/thermal/thermal_zone[0-9]*")):
            limit = _limit_of(zone)
            if _celsius(zone / "temp") is not None and limit is not None:
                found.append((zone, limit))
        return found

    def _limited(self) -> list[str]:
        """A processor whose highest allowed frequency has fallen."""
        worst: tuple[float, str] | None = None
        for path in self._frequencies:
            allowed = _integer(path)
            if allowed is None or allowed <= 0:
                continue
            highest = self._highest_khz[path] = max(self._highest_khz.get(path, 0), allowed)
            if allowed < highest and (worst is None or allowed / highest < worst[0]):
                worst = allowed / highest, f"clock limited to {allowed // 1000} of {highest // 1000} MHz"
        return [worst[1]] if worst else []

    def _note_limits(self) -> None:
        for path, allowed in self._highest_khz.items():
            possible = _integer(path.with_name("cpuinfo_max_freq"))
            if possible is not None and allowed < possible:
                self.notes.append(
                    f"clock limited to {allowed // 1000} of {possible // 1000} MHz from the start: taken as meant"
                )
                return

    @property
    def _firmware_file(self) -> Path:
        return self._root / "devices/platform/soc/soc:firmware/get_throttled"

    def _firmware(self) -> list[str]:
        """What the Raspberry Pi's firmware says: by the kernel's file where there is one, else by its tool."""
        text = _text(self._firmware_file)
        if text is None and self._tool is not None:
            text = self._tool()
        match = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]+)", (text or "").strip())
        bits = int(match[1], 16) if match else 0
        return [words for bit, words in _SLOWED.items() if bits >> bit & 1]


class HeatWatch:
    """Reads a thermometer now and then, in a thread of its own, so that no frame waits for it.

    Args:
        read: gives the heat; called in the thread, and once here.
        interval_s: between two readings.
    """

    def __init__(self, read: Callable[[], Heat], interval_s: float = INTERVAL_S) -> None:
        self.latest = read()
        self._read = read
        self._interval_s = interval_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgekit-heat", daemon=True)

    def start(self) -> None:
        """Starts reading."""
        self._thread.start()

    def close(self) -> None:
        """Stops, and waits for a reading that is under way; one that hangs is left behind. Safe to call twice."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(JOIN_TIMEOUT_S)

    def _run(self) -> None:
        while not self._over.wait(self._interval_s):
            self.latest = self._read()


def _limit_of(zone: Path) -> float | None:
    """From which temperature a zone slows the clock; ``None`` where it names no such point and is of no processor."""
    points = [
        (kind, celsius)
        for path in zone.glob("trip_point_*_temp")
        if (kind := _text(path.with_name(path.name.replace("_temp", "_type")))) is not None
        and (celsius := _celsius(path)) is not None
        and celsius > 0
    ]
    passive = [celsius for kind, celsius in points if kind in ("passive", "hot")]
    if passive:
        return min(passive)
    if not _CPU_ZONE.search(_text(zone / "type") or ""):
        return None
    critical = [celsius - BELOW_CRITICAL_C for kind, celsius in points if kind == "critical"]
    return min([FALLBACK_LIMIT_C, *critical])


def _celsius(path: Path) -> float | None:
    """Degrees of a file in millidegrees; ``None`` where it cannot be, as of a sensor that sleeps."""
    value = _integer(path)
    celsius = math.nan if value is None else value / 1000
    return celsius if -40 <= celsius <= 150 else None


def _integer(path: Path) -> int | None:
    text = _text(path)
    with suppress(ValueError, TypeError):
        return int(text or "")
    return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:  # a zone may vanish, and a sensor that sleeps answers with an error
        return None


def _vcgencmd() -> str:
    """The answer of the firmware's tool, such as ``throttled=0x50005``; nothing where it fails."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["vcgencmd", "get_throttled"], capture_output=True, text=True, timeout=TOOL_TIMEOUT_S, check=False
        )
        return done.stdout
    return ""
