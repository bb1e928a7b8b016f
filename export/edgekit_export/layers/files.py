"""Model files in full precision and reduced → where the noise of each graph comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import onnx

from edgekit.evaluation.origin import GraphOrigin
from edgekit_export.layers.origin import graph_origin
from edgekit_export.quantize.tap import Batch


def layer_origins(
    reference: Mapping[str, Path],
    candidate: Mapping[str, Path],
    feeds: Mapping[str, Iterable[Batch]],
    advance: Callable[..., Any] = lambda: None,
) -> dict[str, GraphOrigin]:
    """Measures the layers of every graph, as :mod:`edgekit.layers` asks for it.

    Args:
        reference: role → ``.onnx`` file in full precision, and
        candidate: reduced, both as this exporter writes them; external data lies beside.
        feeds: role → inputs, input name → array.
        advance: called as work goes on.

    Raises:
        ModelError: the files are not of the same network, or the engine refuses one.
    """
    return {
        role: graph_origin(onnx.load(reference[role]), onnx.load(candidate[role]), given, advance)
        for role, given in feeds.items()
    }
