"""Several sinks as one; none at all is one, too."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.sinks.protocol import Outcome, Sink


class Tee:
    """Hands every outcome to each of its sinks, in order."""

    def __init__(self, sinks: Sequence[Sink] = ()) -> None:
        self._sinks = tuple(sinks)

    def write(self, outcome: Outcome) -> None:
        """Writes to each sink."""
        for sink in self._sinks:
            sink.write(outcome)

    def commit(self) -> None:
        """Commits each sink; where one fails, the others are committed and its error is raised then."""
        errors: list[Exception] = []
        for sink in self._sinks:
            try:
                sink.commit()
            except Exception as error:  # noqa: BLE001 (raised below)
                sink.abort()
                errors.append(error)
        if errors:
            raise errors[0]

    def abort(self) -> None:
        """Aborts each sink."""
        for sink in self._sinks:
            sink.abort()
