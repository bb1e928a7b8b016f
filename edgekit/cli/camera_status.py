"""``edgekit camera`` while it runs: the last result on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from edgekit.bundle.manifest import Drop
from edgekit.cli.output import PLAIN_INTERVAL_S, say
from edgekit.cli.words import lines_of
from edgekit.events import AnswerTold, CameraChanged, FrameDone, Observer, VariantChanged
from edgekit.types import Classification, Result, TextRegions

REFRESH_S = 0.25  # of the line that shows the last result on a terminal


class Status(Observer):
    """Shows the last result on stderr: in place on a terminal, now and then as a line in a pipe.

    Args:
        description: of the source.
        now_s: monotonic clock.
    """

    def __init__(self, description: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._terminal = sys.stderr.isatty()
        self._interval_s = REFRESH_S if self._terminal else PLAIN_INTERVAL_S
        self._last_s = now_s()
        self._shown = False
        say(f"{description}: running, Ctrl-C ends it")

    def frame_done(self, event: FrameDone) -> None:
        """Shows the result, if the last one was shown long enough ago."""
        now_s = self._now_s()
        if now_s - self._last_s < self._interval_s:
            return
        self._last_s = now_s
        outcome = event.outcome
        line = f"frame {outcome.frame.index}  {outcome.age_ns / 1e6:.1f} ms  {brief(outcome.result)}"
        if self._terminal:
            self._shown = True
            sys.stderr.write(f"\r\x1b[2K{line[:100]}")
            sys.stderr.flush()
        else:
            say(line)

    def answer_told(self, event: AnswerTold) -> None:
        """Shows a whole answer on a line of its own."""
        if not event.whole or not event.text:
            return
        age_s = (event.at_ns - event.frame_ns) / 1e9
        line = f"[{event.why}, frame {event.frame_index}, {age_s:.1f} s old] {event.text.strip()}"
        say(("\r\x1b[2K" if self._terminal else "") + _printable(line))

    def variant_changed(self, event: VariantChanged) -> None:
        """Says which variant runs from now on, why, and what that costs."""
        self.clear()
        say(f"variant {event.before} -> {event.after}: {event.why}; {drop_words(event.drop)}")

    def camera_changed(self, event: CameraChanged) -> None:
        """Says so, in a line that stays."""
        self.clear()
        say(f"camera {event.state}: {event.detail}")

    def clear(self) -> None:
        """Removes the line from the terminal."""
        if self._shown:
            self._shown = False
            sys.stderr.write("\r\x1b[2K")


def drop_words(drop: Drop | None) -> str:
    """What a variant costs in accuracy, for a person."""
    if drop is None:
        return "accuracy drop unknown"
    low, high = drop.interval
    return f"drop {drop.value:.2f} {drop.metric} ({drop.confidence:.0%}: {low:.2f} to {high:.2f})"


def brief(result: Result) -> str:
    """A result in a few printable words."""
    if isinstance(result, Classification):
        words = "  ".join(f"{c.label} {c.score:.0%}" for c in result.top(1))
    elif isinstance(result, TextRegions):
        words = f"{len(result)} lines  " + " | ".join(result.texts)
    else:
        words = "  ".join(lines_of(result))
    return _printable(words)


def _printable(words: str) -> str:
    return "".join(c if c.isprintable() else " " for c in words)
