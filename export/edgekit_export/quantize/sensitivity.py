"""Which layers quantisation hurts: each one alone, by the engine that ships.

Leave-one-in: all layers in float but one, and the noise that this one makes at the output. It takes one short run
over a few samples a layer, and tells layers apart by orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import numpy as np

from edgekit.types import Array
from edgekit_export.convert.session import session_of
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.quantize.placement import Mode, layers
from edgekit_export.quantize.quantize import Calibrated, Progress, build, silent
from edgekit_export.quantize.tap import Batch

SAMPLES = 16


def sensitivity(
    ready: Calibrated, batches: Iterable[Batch], mode: Mode = Mode.INT8, progress: Progress = silent
) -> dict[str, float]:
    """Signal to noise at the first output, in dB, with one layer alone in ``mode``; layers in graph order."""
    samples = list(islice(batches, SAMPLES))
    names = [node.output[0] for node in layers(ready.model)]
    reference = outputs_of(ready, {}, samples)
    found = {}
    for done, name in enumerate(names):
        progress("layers one by one", done, len(names))
        found[name] = sqnr_db(reference, outputs_of(ready, {name: mode}, samples))
    progress("layers one by one", len(names), len(names))
    return found


def outputs_of(ready: Calibrated, modes: Mapping[str, Mode], samples: Sequence[Batch]) -> Array:
    """First output of all samples in a row, with layers in ``modes`` and the others in float."""
    session = session_of(build(ready, modes).model)
    return np.concatenate([session.run(sample)[0].reshape(-1) for sample in samples])
