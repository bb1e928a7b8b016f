"""A network with its float graph, calibration data and evaluation data: the same for all that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx

from edgekit.bundle.detect_head import DetectHead
from edgekit.bundle.manifest import ClassHead, Variant
from edgekit.cli.output import progress
from edgekit.data.dataset import Dataset, open_data, refuse_overlap
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import UsageError
from edgekit.tasks.labels import read_labels
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import make_task
from edgekit_export.calibration import Feeds, gather
from edgekit_export.sources.resolve import resolve
from edgekit_export.sources.source import Source, SourceGraph
from edgekit_export.staging import Staging
from edgekit_export.variants import full_precision

THREADS = 1


@dataclass(frozen=True)
class Network:
    """What all rows of one table have in common.

    Attributes:
        source: as ``edgekit export`` resolves it.
        role: of its one graph.
        full: that graph in full precision, with a uint8 NHWC input where it takes pictures.
        staging: where variants are written, and loaded from.
        reference: the variant in full precision.
        feeds: what the graph is given over the calibration data.
        feeds_folder: where those lie, one ``.npz`` a sample.
        calibration: the samples calibrated on, and
        evaluation: measured on.
    """

    source: Source
    role: str
    full: onnx.ModelProto
    staging: Staging
    reference: Variant
    feeds: Feeds
    feeds_folder: Path
    calibration: Dataset
    evaluation: Dataset

    @property
    def graph(self) -> SourceGraph:
        """Where the graph came from."""
        return self.source.graphs[self.role]

    def stage(self, name: str, model: onnx.ModelProto | bytes) -> Variant:
        """Writes a model as a variant; ``name`` is a row's."""
        slug = "".join(c if c.isalnum() else "-" for c in name.lower())
        return self.staging.add(slug, slug, "int8", {self.role: model}, {self.role: self.graph})

    def load(self, variant: Variant) -> Task:
        """The task that runs a staged variant."""
        return load(self.source, self.staging, variant)


def load(source: Source, staging: Staging, variant: Variant) -> Task:
    """The task that runs a staged variant, on one thread."""
    options = EngineOptions(threads=THREADS)
    return make_task(source.task, source.name, variant, staging.folder, options=options)


def open_network(
    name: str,
    folder: Path,
    weights: Path | None,
    calib: Sequence[str],
    evaluation: Sequence[str],
    limits: tuple[int, int],
) -> Network:
    """Loads a network and gathers its calibration data.

    Args:
        name: in ``models/``.
        folder: to work in.
        weights: of a network whose weights are in no package.
        calib: data to calibrate on; the network's own where empty.
        evaluation: data to measure on; likewise.
        limits: samples at most of both, 0 for all of them.

    Raises:
        UsageError: a network of several graphs, or without data.
        DataError: what is calibrated on is measured on as well.
    """
    source = resolve(name, None, weights)
    if len(source.graphs) != 1:
        raise UsageError(f"{name}: has {len(source.graphs)} graphs", "compare networks of one graph")
    ((role, graph),) = source.graphs.items()
    staging = Staging(folder / "members", source.assets)
    full = full_precision(graph)
    reference = staging.add("fp32", "full_precision", "fp32", {role: full}, source.graphs)
    data = [
        _open(source, staging, tuple(asked) or known, limit)
        for asked, known, limit in zip(
            (calib, evaluation), (source.calibration, source.evaluation), limits, strict=True
        )
    ]
    refuse_overlap(data[0].digests, data[1].digests)
    with progress(f"{name}: calibration data", len(data[0])) as advance:
        inputs = ((sample.cluster, sample.content) for sample in data[0])
        task = load(source, staging, reference)
        feeds = gather(task, inputs, [role], folder / "feeds", advance)[role]
    return Network(source, role, full, staging, reference, feeds, folder / "feeds" / role, *data)


def _open(source: Source, staging: Staging, specs: tuple[str, ...], limit: int) -> Dataset:
    heads = [spec.head for spec in source.specs if isinstance(spec.head, ClassHead | DetectHead)]
    labels = read_labels(staging.folder / heads[0].labels) if heads else ()
    data = open_data(specs, source.task, labels, source.accepts)
    return data.limited(limit) if limit else data
