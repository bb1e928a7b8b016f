"""Which layers quantisation hurts: each one alone, by the engine that ships.

Leave-one-in: all layers in float but one, and the noise that this one makes at the output. It takes one short run
over a few samples a layer, and tells layers apart by orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import onnx

from edgekit.types import Array
from edgekit_export.convert.session import session_of
from edgekit_export.quantize.calibrated import Calibrated
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.quantize.placement import Mode, layers
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.thinned import Thinned

SAMPLES = 16


class _Built(Protocol):
    @property
    def model(self) -> onnx.ModelProto: ...


class Build(Protocol):
    """Makes a graph for a choice of modes: :func:`edgekit_export.quantize.quantize.build`."""

    def __call__(self, ready: Calibrated, modes: Mapping[str, Mode]) -> _Built:
        """The graph with layers in ``modes`` and the others in float."""
        ...


def sensitivity(
    ready: Calibrated,
    batches: Iterable[Batch],
    build: Build,
    progress: Progress = silent,
    mode: Mode = Mode.INT8,
) -> dict[str, float]:
    """Signal to noise at the output that suffers most, in dB, with one layer alone in ``mode``; in graph order."""
    samples = list(Thinned(batches, SAMPLES))
    names = [node.output[0] for node in layers(ready.model)]
    reference = _outputs(build(ready, {}).model, samples)
    found = {}
    for done, name in enumerate(names):
        progress("layers one by one", done, len(names))
        outputs = _outputs(build(ready, {name: mode}).model, samples)
        found[name] = min(sqnr_db(a, b) for a, b in zip(reference, outputs, strict=True))
    progress("layers one by one", len(names), len(names))
    return found


def _outputs(model: onnx.ModelProto, samples: Sequence[Batch]) -> list[Array]:
    """Each output, of all samples in a row."""
    session = session_of(model)
    runs = [session.run(sample) for sample in samples]
    return [np.concatenate([one.reshape(-1) for one in outputs]) for outputs in zip(*runs, strict=True)]
