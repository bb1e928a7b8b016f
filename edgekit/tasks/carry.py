"""What one call of a graph hands to the next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from edgekit.bundle.manifest import Carried
from edgekit.engines.protocol import Session
from edgekit.errors import BundleError
from edgekit.types import Array

MAX_STATE_BYTES = 2**28
"""Of one carried input: a shape is a few bytes of a file, its zeros can be all memory there is."""


class Carry:
    """Feeds of a graph's carried inputs.

    Args:
        session: the graph.
        carried: which output becomes which input.
        growing: whether a side that the graph leaves open begins at 0 and grows from call to call.

    Attributes:
        outputs: names of what is handed on.

    Raises:
        BundleError: the graph has no such input or output, or an input of no fixed shape, or a huge one.
    """

    def __init__(self, session: Session, carried: Sequence[Carried], *, growing: bool = False) -> None:
        inputs = {given.name: given for given in session.inputs}
        outputs = {given.name for given in session.outputs}
        self.outputs = frozenset(pair.output for pair in carried)
        self._carried = tuple(carried)
        self._zeros: dict[str, Array] = {}
        for pair in carried:
            if pair.input not in inputs or pair.output not in outputs:
                raise BundleError(
                    f"the graph has the inputs {', '.join(inputs)} and outputs {', '.join(sorted(outputs))}, expected "
                    f"{pair.input} and {pair.output}, which is carried to it"
                )
            spec = inputs[pair.input]
            shape = tuple(side or 0 for side in spec.shape)
            if None in spec.shape and not growing:
                raise BundleError(f"carried input {pair.input}: expected a fixed shape, got {spec.form}")
            if math.prod(shape) * np.dtype(spec.dtype).itemsize > MAX_STATE_BYTES:
                what = f"expected up to {MAX_STATE_BYTES} bytes, got {spec.form}"
                raise BundleError(f"carried input {pair.input}: {what}")
            self._zeros[pair.input] = np.zeros(shape, spec.dtype)

    def start(self) -> Mapping[str, Array]:
        """Feeds of the first call: zeros."""
        return self._zeros

    def on(self, outputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Feeds of the next call."""
        return {pair.input: outputs[pair.output] for pair in self._carried}
