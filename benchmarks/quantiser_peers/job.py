"""What a peer is asked for: one recipe for one float graph, in a process of its own that knows nothing of edgekit."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Job:
    """One recipe for one graph.

    Attributes:
        recipe: as the peer's table has it.
        model: the float graph, ONNX or TFLite.
        feeds: folder of calibration data, one ``.npz`` a sample, input name → array.
        out: the file to write.
    """

    recipe: str
    model: Path
    feeds: Path
    out: Path

    def samples(self) -> Iterator[dict[str, np.ndarray]]:
        """The calibration data, in order, one at a time."""
        for path in self.paths():
            with np.load(path) as stored:
                yield {name: stored[name] for name in stored.files}

    def paths(self) -> list[Path]:
        """Files of the calibration data."""
        return sorted(self.feeds.glob("*.npz"))


def run(
    recipes: Mapping[str, Callable[[Job], None]],
    distributions: Sequence[str],
    argv: Sequence[str] | None = None,
) -> int:
    """A peer's command: ``RECIPE MODEL FEEDS OUT``; prints the versions of what made it, as JSON, last."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", choices=tuple(recipes))
    for name in ("model", "feeds", "out"):
        parser.add_argument(name, type=Path)
    job = Job(**vars(parser.parse_args(argv)))
    recipes[job.recipe](job)
    print(json.dumps({name: version(name) for name in distributions}))
    return 0
