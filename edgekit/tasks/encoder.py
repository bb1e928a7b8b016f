"""From what a task is given to what its graph is given, by the kind of input that the manifest names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from edgekit.bundle.manifest import ImageInput, Input, SoundInput, TextInput
from edgekit.errors import BundleError
from edgekit.processing.images import to_frame
from edgekit.processing.preprocess import prepare
from edgekit.processing.sounds import to_sound
from edgekit.processing.windows import windows
from edgekit.types import Array, Kind


class Encoder(Protocol):
    """Makes the feeds of one graph.

    Attributes:
        kind: what it takes.
    """

    kind: Kind

    def __call__(self, given: object) -> Mapping[str, Array]:
        """Graph input name → array, batch of 1.

        Raises:
            DataError: it is not of the kind, or cannot be decoded.
        """
        ...


class PictureEncoder:
    """See :class:`Encoder`."""

    kind: Kind = "picture"

    def __init__(self, spec: ImageInput) -> None:
        self._spec = spec

    def __call__(self, given: object) -> Mapping[str, Array]:
        """One tensor; see :func:`edgekit.processing.preprocess.prepare`."""
        return {self._spec.tensor: prepare(to_frame(given), self._spec).tensor}


class SoundEncoder:
    """See :class:`Encoder`. Of a sound that is longer than the graph's window it takes the beginning."""

    kind: Kind = "sound"

    def __init__(self, spec: SoundInput) -> None:
        if spec.carried:
            raise BundleError(
                "input: carries something from call to call, expected a graph that is called once"
            )
        self._spec = spec

    def __call__(self, given: object) -> Mapping[str, Array]:
        """One tensor; see :func:`edgekit.processing.windows.windows`."""
        return {self._spec.tensor: next(windows(to_sound(given), self._spec))}


def encoder_of(spec: Input, folder: Path) -> Encoder:
    """What makes the feeds of a graph with this input.

    Args:
        spec: the model's input.
        folder: holds the members that it names.

    Raises:
        BundleError: a member that cannot be used.
        EnvironmentLacks: a library that this kind of input needs is not installed.
    """
    match spec:
        case ImageInput():
            return PictureEncoder(spec)
        case SoundInput():
            return SoundEncoder(spec)
        case TextInput():
            from edgekit.processing.tokens import TextEncoder

            return TextEncoder(spec, folder)
        case _:
            raise BundleError("input: a decoder's steps, expected an input that a graph takes at once")
