"""Results as JSON lines."""

from __future__ import annotations

from pathlib import Path

from edgekit.sinks.lines import LinesFile
from edgekit.sinks.protocol import Outcome


class ResultsSink:
    """Writes one object a frame: ``index``, ``name`` of a file, ``age_ms``, ``variant``, its ``drop``, ``result``.

    Args:
        target: the file; see :class:`~edgekit.sinks.lines.LinesFile`.

    Raises:
        OutputError: it cannot be written there.
    """

    def __init__(self, target: Path) -> None:
        self._lines = LinesFile(target)

    def write(self, outcome: Outcome) -> None:
        """Writes one line."""
        self._lines.write(
            {
                "index": outcome.frame.index,
                **({"name": outcome.frame.name} if outcome.frame.name else {}),
                "age_ms": round(outcome.age_ns / 1e6, 3),
                "variant": outcome.variant,
                "drop": outcome.drop,
                "result": outcome.result.as_json(),
            }
        )

    def commit(self) -> None:
        """Gives the file its name."""
        self._lines.commit()

    def abort(self) -> None:
        """Removes the partial file."""
        self._lines.abort()
