"""Errors that a caller, or a person at a terminal, can act on.

Every error names what was wrong, what was found, what was expected, and the remedy. The command line prints
the message as one line on stderr (one JSON object with ``--json``) and exits with ``exit_code``.
"""

from __future__ import annotations


class EdgekitError(Exception):
    """Root of all errors that edgekit raises on purpose.

    Attributes:
        message: what was wrong: found and expected, in one line.
        remedy: what to do about it, in one line; empty where there is nothing to add.
        kind: stable machine-readable name, the ``error.kind`` of ``--json``.
        exit_code: 2 for bad input or usage, 3 for what the environment lacks.
    """

    kind = "error"
    exit_code = 2

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


class UsageError(EdgekitError):
    """An option, a specification or an argument that cannot be understood."""

    kind = "usage"


class BundleError(EdgekitError):
    """A bundle that is damaged, foreign, of another version or breaks a rule of the format."""

    kind = "bundle"


class ModelError(EdgekitError):
    """A model file that is missing, truncated, foreign, unsupported, or that the engine refuses."""

    kind = "model"


class DataError(EdgekitError):
    """Pictures, texts, sounds, labels or other data that cannot be read or do not fit the model."""

    kind = "data"


class OutputError(EdgekitError):
    """A result that could not be written: no space, no permission, a folder in the way."""

    kind = "output"


class EnvironmentLacks(EdgekitError):  # noqa: N818 (it reads as what it says)
    """The machine lacks something that was asked for: an extra, a camera, an engine, a key."""

    kind = "environment"
    exit_code = 3
