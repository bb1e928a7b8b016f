"""How long a live camera is waited for, and when it is opened again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
"""Between two attempts to open a camera: a camera that is back runs again within this and its own start."""

LONGEST_FROZEN_S = 60.0
"""Between two attempts to thaw a frozen camera by opening it again: the picture may be a still one after all."""


@dataclass(frozen=True, slots=True)
class Patience:
    """With a live camera.

    Attributes:
        hang_s: a read or an attempt to open that takes longer is left to itself, and the camera opened anew. Above the
            5 s after which a well-behaved stream gives up by itself.
        frozen_s: the same picture for so long is a frozen camera, and twice that a reason to open it again; ``None``:
            never.
        give_up_s: an outage that lasts longer ends the loop; ``None``: it waits for ever.
    """

    hang_s: float = 6.0
    frozen_s: float | None = 5.0
    give_up_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("hang_s", "frozen_s", "give_up_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name}: expected more than 0, got {value}")


def pause_s(attempt: int) -> float:
    """Pause before attempt 0, 1, …: doubled each time up to a limit. Seconds."""
    return float(min(FIRST_PAUSE_S * 2 ** min(attempt, 16), LONGEST_PAUSE_S))
