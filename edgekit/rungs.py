"""Variants of a bundle as rungs of a ladder: what each takes, and loading the next one beside the loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

import numpy as np

from edgekit.bundle.manifest import Drop, Manifest, Variant
from edgekit.bundle.reader import Bundle
from edgekit.errors import EdgekitError, UsageError
from edgekit.ladder import choose_rungs
from edgekit.machine import give_memory_back
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import find_variant
from edgekit.tasks.trace import Trace
from edgekit.types import Frame

ROUNDS = 5
"""Timed calls of a variant before the start, after one that warms it up."""

WARM_UP_WH = (640, 480)

Load: TypeAlias = Callable[[str], Task]
"""Variant's name → its task."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One variant.

    Attributes:
        variant: its name.
        drop: what it costs in accuracy; ``None`` where the bundle does not say.
        cost_ns: what one input takes, pre- and post-processing included.
    """

    variant: str
    drop: Drop | None
    cost_ns: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A variant that is ready to run.

    Attributes:
        task: it.
        bare_ns: what its engine calls took alone.
    """

    task: Task
    bare_ns: int


class Loader:
    """Loads one variant at a time in a thread of its own, and runs it once, so that no frame waits for it.

    Args:
        load: called in that thread.
        size_wh: of the camera's pictures, if known.
    """

    def __init__(self, load: Load, size_wh: tuple[int, int] | None = None) -> None:
        self._load = load
        self._size_wh = size_wh
        self._made: Loaded | EdgekitError | None = None
        self._thread: threading.Thread | None = None

    def start(self, variant: str) -> None:
        """Begins to load a variant, once what is being tidied is done."""
        self.close()
        self._thread = threading.Thread(
            target=self._run, args=(variant,), name="edgekit-variant", daemon=True
        )
        self._thread.start()

    def take(self) -> Loaded | EdgekitError | None:
        """The variant, or why it cannot be had, once; ``None`` while it is not there yet."""
        if self._thread is None or self._thread.is_alive():
            return None
        self._thread.join()
        made, self._thread, self._made = self._made, None, None
        return made

    def tidy(self) -> None:
        """Gives back to the system what a variant left that was let go of: else a process doubles over many steps.

        In a thread, since it takes milliseconds.
        """
        self.close()
        self._thread = threading.Thread(target=give_memory_back, name="edgekit-variant", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Waits for what is being loaded, and lets go of it."""
        if self._thread is not None:
            self._thread.join()
        self._thread = self._made = None

    def _run(self, variant: str) -> None:
        try:
            task = self._load(variant)
            self._made = Loaded(task, warm_up(task, self._size_wh).bare_ns())
        except EdgekitError as error:
            self._made = error
        except Exception as error:  # noqa: BLE001 (a step that fails must not end a camera that runs for weeks)
            self._made = EdgekitError(f"variant {variant}: {type(error).__name__}: {error}")


def warm_up(
    task: Task, size_wh: tuple[int, int] | None, now_ns: Callable[[], int] = time.perf_counter_ns
) -> Trace:
    """Runs a task on a grey picture, so that the first frame does not pay for first allocations."""
    width, height = size_wh or WARM_UP_WH
    trace = Trace(now_ns)
    task(Frame(np.full((height, width, 3), 128, np.uint8), "bgr"), trace)
    return trace


def candidates(manifest: Manifest, names: Sequence[str] | None, top: str | None) -> list[Variant]:
    """The variants that may become rungs.

    Args:
        manifest: of the bundle.
        names: those that were asked for, the most accurate first; ``None``: all, in the format of the first or ``top``.
        top: a variant's name, of which or of the first one's the format is.

    Raises:
        UsageError: no such variant, one twice, or fewer than two.
    """
    if names is None:
        wanted = find_variant(manifest, top)
        found = [variant for variant in manifest.variants if _format(variant) == _format(wanted)]
    else:
        found = [find_variant(manifest, name) for name in names]
    if len(found) < 2 or len({variant.name for variant in found}) < len(found):
        raise UsageError(
            f"ladder: expected two variants or more, each once, got {', '.join(v.name for v in found) or 'none'}",
            f"{manifest.name} has {', '.join(v.name for v in manifest.variants)}; edgekit export --recipe makes more",
        )
    return found


def measure(load: Load, variants: Sequence[Variant], picture: Frame | None) -> list[Rung]:
    """Loads one variant after the other, one at a time in memory, and times it.

    Args:
        load: makes a variant's task.
        variants: of a task that takes pictures.
        picture: what they are timed on; a grey one where there is none.
    """
    rungs = []
    for variant in variants:
        rungs.append(Rung(variant.name, variant.drop, _cost_ns(load(variant.name), picture)))
        give_memory_back()
    return rungs


def chosen(rungs: Sequence[Rung], top: str | None) -> list[Rung]:
    """Those rungs that no other beats, the most costly first; with ``top`` that one and cheaper ones.

    Raises:
        UsageError: fewer than two are left.
    """
    if top is not None:
        most_ns = next(rung.cost_ns for rung in rungs if rung.variant == top)
        rungs = [rung for rung in rungs if rung.variant == top or rung.cost_ns < most_ns]
    order = choose_rungs([r.cost_ns for r in rungs], [r.drop.value if r.drop else None for r in rungs])
    if len(order) < 2:
        taken = ", ".join(f"{rung.variant} {rung.cost_ns / 1e6:.1f} ms" for rung in rungs)
        raise UsageError(
            f"ladder: expected variants that trade accuracy for time on this machine, got {taken}",
            "name them: --ladder V1,V2",
        )
    return [rungs[index] for index in order]


def golden_picture(bundle: Bundle) -> Frame | None:
    """A picture that the bundle carries for its own test: it has something to find in it, as a grey one has not."""
    from edgekit.processing.images import read_picture

    folder = bundle.folder()
    pictures = (golden.input for golden in bundle.manifest.golden if golden.input.endswith(".png"))
    path = next(pictures, None)
    return None if path is None else read_picture(folder / path)


def _cost_ns(task: Task, picture: Frame | None) -> int:
    """Median time of a few pictures, no two of them alike: a model that remembers pictures would else look at one."""
    warm_up(task, None)
    pixels = np.full((*WARM_UP_WH[::-1], 3), 128, np.uint8) if picture is None else picture.pixels
    color = "bgr" if picture is None else picture.color
    taken = []
    for number in range(ROUNDS):
        shifted = np.roll(pixels, (number + 1) * pixels.shape[1] // (ROUNDS + 1), axis=1)
        shifted[0, 0] = number  # a plain picture is the same however it is shifted
        start_ns = time.perf_counter_ns()
        task(Frame(shifted, color))
        taken.append(time.perf_counter_ns() - start_ns)
    return round(median(taken))


def _format(variant: Variant) -> str:
    return next(iter(variant.models.values())).format
